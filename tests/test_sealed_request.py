"""A static handler sees its path and parameters, and nothing of any client."""

from __future__ import annotations

import sqlite3
import sys
from contextvars import ContextVar
from types import ModuleType

import pytest
from flask import Flask, Request, g, request
from werkzeug.exceptions import InternalServerError
from werkzeug.routing import BaseConverter

from flask_routehandlers import RouteHandlers, StaticRequestError
from flask_routehandlers.caching.sandbox import CLIENT_INPUTS, seal_request_class
from tests.support import bare_app

#: Attributes that do not depend on the client: the path, the app, the server, and methods that
#: only lead to other attributes.
OF_NO_CLIENT = {
    # The path, and how it was matched.
    "base_url", "blueprint", "blueprints", "endpoint", "host", "host_url", "method", "path",
    "root_path", "root_url", "routing_exception", "scheme", "script_root", "server", "url",
    "url_root", "url_rule", "view_args", "is_secure",
    # What the app has configured.
    "dict_storage_class", "form_data_parser_class", "json_module", "list_storage_class",
    "make_form_data_parser", "max_content_length", "max_form_memory_size", "max_form_parts",
    "parameter_storage_class", "trusted_hosts", "user_agent_class",
    # The WSGI server.
    "environ", "is_multiprocess", "is_multithread", "is_run_once", "shallow",
    # Functions.
    "application", "close", "from_values", "on_json_loading_failed",
}  # fmt: skip

#: A request with something wherever a client can put something.
FULL_REQUEST = {
    "query_string": {"q": "of-client"},
    "headers": {
        "Accept": "of-client/x",
        "Accept-Charset": "of-client",
        "Accept-Encoding": "of-client",
        "Accept-Language": "of-client",
        "Access-Control-Request-Headers": "of-client",
        "Access-Control-Request-Method": "of-client",
        "Authorization": "Bearer of-client",
        "Cache-Control": "of-client",
        "Content-MD5": "of-client",
        "Cookie": "name=of-client",
        "Date": "Thu, 01 Jan 1970 00:00:00 GMT",
        "Host": "of-client.example",
        "If-Modified-Since": "Thu, 01 Jan 1970 00:00:00 GMT",
        "If-None-Match": '"of-client"',
        "If-Range": '"of-client"',
        "Max-Forwards": "77",
        "Origin": "https://of-client.example",
        "Pragma": "of-client",
        "Range": "bytes=0-77",
        "Referer": "https://of-client.example",
        "User-Agent": "of-client",
        "X-Forwarded-For": "of-client",
        "X-Forwarded-Host": "of-client.example",
    },
    "environ_overrides": {"REMOTE_ADDR": "77.77.77.77", "REMOTE_USER": "of-client"},
    "json": {"q": "of-client"},
}


def message(what: str, file: str = "x/[id]/route.py") -> str:
    return (
        f"The static GET of {file} used {what}, which belongs to one client, while its response "
        "is stored for all. Move what it needs into the path, or write "
        'dynamic = "force-dynamic" to run it for each request, or dynamic = "force-static" '
        "to find it empty."
    )


def handler(expression: str, config: str = "revalidate = 60") -> dict[str, str]:
    """A static file whose GET returns the ``repr`` of an expression."""
    code = f"from flask import g, session, flash\n{config}\n"
    return {"x/[id]/route.py": f"{code}def GET(request, id):\n    return repr({expression})\n"}


def error_of(app: Flask, **request: object) -> BaseException:
    """Return what a request to the handler raises."""
    app.config["PROPAGATE_EXCEPTIONS"] = True
    with pytest.raises(Exception) as caught:  # noqa: PT011
        app.test_client().get("/api/x/7", **request)
    return caught.value


def public_names(request_class: type[Request]) -> set[str]:
    instance = request_class({"REQUEST_METHOD": "GET", "wsgi.url_scheme": "http"})
    names = {*dir(request_class), *vars(instance)}
    return {name for name in names if not name.startswith("_")}


def test_every_request_attribute_is_classified():
    names = public_names(Request)
    assert names - CLIENT_INPUTS - OF_NO_CLIENT == set(), "classify these"
    assert names >= CLIENT_INPUTS, "there is no such attribute"
    assert CLIENT_INPUTS.isdisjoint(OF_NO_CLIENT)


@pytest.mark.parametrize("name", sorted(CLIENT_INPUTS))
@pytest.mark.parametrize("debug", [False, True], ids=["production", "debug"])
def test_reading_client_input_is_an_error(tree, name, debug):
    app = bare_app(tree(handler(f"request.{name}")))
    app.debug = debug
    RouteHandlers(app)
    error = error_of(app, **FULL_REQUEST)
    assert type(error) is StaticRequestError
    assert str(error) == message(f"request.{name}")
    assert (error.file, error.what) == ("x/[id]/route.py", f"request.{name}")


@pytest.mark.parametrize(
    ("expression", "what"),
    [
        ("getattr(request, 'args', None)", "request.args"),
        ("hasattr(request, 'headers')", "request.headers"),
        ("request.args.get('q', 'none')", "request.args"),
        ("request.get_json(silent=True)", "request.get_json"),
        ("session.get('user')", "session"),
        ("session['user']", "session"),
        ("'user' in session", "session"),
        ("bool(session)", "session"),
        ("dict(session)", "session"),
        ("len(session)", "session"),
        ("session.permanent", "session"),
        ("session.setdefault('a', 1)", "session"),
        ("session.pop('a', None)", "session"),
        ("session.update(a=1)", "session"),
        ("session.clear()", "session"),
        ("session == {}", "session"),
        ("flash('hello')", "session"),
    ],
)
def test_careful_access_is_an_error_too(make_app, expression, what):
    app = make_app(handler(expression))
    app.secret_key = "x"
    error = error_of(app, **FULL_REQUEST)
    assert type(error) is StaticRequestError
    assert str(error) == message(what)


@pytest.mark.parametrize("config", ["revalidate = 60", "dynamic = 'force-static'"])
@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("getattr(g, '_database', None)", None),
        ("hasattr(g, 'user')", False),
        ("g.get('user', 'none')", "none"),
        ("'user' in g", False),
        ("g.pop('user', 5)", 5),
    ],
)
def test_g_is_new_and_may_be_asked(make_app, expression, value, config):
    app = make_app(handler(expression, config))
    app.before_request(lambda: setattr(g, "user", "of-client"))
    assert app.test_client().get("/api/x/7").text == repr(value)


def test_a_missing_name_in_g_is_explained(make_app):
    app = make_app(handler("g.user"))
    app.before_request(lambda: setattr(g, "user", "of-client"))
    error = error_of(app)
    assert type(error) is AttributeError
    assert error.__notes__ == [
        "The static GET of x/[id]/route.py runs with a new, empty g: what before_request "
        "functions and middleware set, g.user for example, belongs to one client and is not in it."
    ]


def test_another_attribute_error_has_no_note(make_app):
    error = error_of(make_app(handler("id.user")))
    assert str(error) == "'str' object has no attribute 'user'"
    assert not hasattr(error, "__notes__")


def test_a_client_does_not_see_the_error(make_app):
    response = make_app(handler("request.args")).test_client().get("/api/x/7?q=1")
    assert response.status_code == 500
    assert response.get_json() == {
        "type": "about:blank",
        "title": "Internal Server Error",
        "status": 500,
        "detail": InternalServerError.description,
        "instance": "/api/x/7",
    }


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("request.url", "http://localhost/api/x/7"),
        ("request.base_url", "http://localhost/api/x/7"),
        ("request.url_root", "http://localhost/"),
        ("request.host", "localhost"),
        ("request.host_url", "http://localhost/"),
        ("request.path", "/api/x/7"),
        ("request.root_path", ""),
        ("request.script_root", ""),
        ("request.scheme", "http"),
        ("request.method", "GET"),
        ("request.view_args", {"id": "7"}),
        ("request.endpoint", "api./x/[id]"),
        ("request.url_rule.rule", "/api/x/<id>"),
        ("request.blueprint", "api"),
        ("request.blueprints", ["api"]),
        ("request.is_secure", False),
        ("request.routing_exception", None),
        ("id", "7"),
    ],
)
@pytest.mark.parametrize("config", ["revalidate = 60", "dynamic = 'force-static'"])
def test_path_and_parameters_can_be_read(make_app, expression, value, config):
    app = make_app(handler(expression, config))
    assert app.test_client().get("/api/x/7", **FULL_REQUEST).text == repr(value)
    assert app.test_client().get("/api/x/7").headers["Cache-Status"].partition(";")[2:] == (
        " hit; ttl=60" if config == "revalidate = 60" else " hit",
    )


@pytest.mark.parametrize("name", sorted(CLIENT_INPUTS - {"json"}))
def test_force_static_hides_what_clients_send(make_app, name):
    texts = []
    for sent in (FULL_REQUEST, {}):
        client = make_app(handler(f"request.{name}", "dynamic = 'force-static'")).test_client()
        answer = client.get("/api/x/7", **sent)
        assert answer.status_code == 200
        texts.append(without_address(answer.text))
    assert texts[0] == texts[1]
    assert "client" not in texts[0]
    assert "77" not in texts[0]


def without_address(text: str) -> str:
    return text.partition(" at 0x")[0]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("dict(request.args)", {}),
        ("dict(request.headers)", {}),
        ("dict(request.cookies)", {}),
        ("request.get_data()", b""),
        ("request.get_json(silent=True)", None),
        ("dict(request.form)", {}),
        ("request.full_path", "/api/x/7?"),
        ("request.remote_addr", None),
        ("dict(session)", {}),
        ("session.get('user')", None),
        ("session.pop('user', None)", None),
        ("g.get('user')", None),
        ("getattr(g, 'user', None)", None),
    ],
)
def test_force_static_reading_finds_nothing(make_app, expression, value):
    app = make_app(handler(expression, "dynamic = 'force-static'"))
    app.secret_key = "x"
    app.before_request(lambda: setattr(g, "user", "of-client"))
    assert app.test_client().get("/api/x/7", **FULL_REQUEST).text == repr(value)


SETS_USER = (
    "def middleware(request, call_next):\n    request.user = 'Ada'\n    return call_next()\n"
)


def test_attributes_set_by_middleware_are_missing(make_app):
    code = "revalidate = 60\ndef GET(request): return request.user\n"
    app = make_app({"middleware.py": SETS_USER, "x/[id]/route.py": code})
    assert str(error_of(app)) == message("request.user")
    code = "dynamic = 'force-static'\ndef GET(request): return str(hasattr(request, 'user'))\n"
    app = make_app({"middleware.py": SETS_USER, "x/[id]/route.py": code})
    assert app.test_client().get("/api/x/7").text == "False"


def test_a_request_made_by_the_handler_has_no_other_attributes(make_app):
    app = make_app(handler("hasattr(type(request)(request.environ), 'user')"))
    assert app.test_client().get("/api/x/7").text == "False"


def test_errors_of_a_request_class_are_kept(tree):
    class OwnRequest(Request):
        @property
        def tenant(self):
            return self.path.tenant

        def __getattr__(self, name):
            if name == "shop":
                return "ours"
            raise AttributeError(f"no {name}")

    code = "dynamic = 'force-static'\ndef GET(request): return request.%s\n"
    for name, found in (("tenant", "no tenant"), ("shop", "ours"), ("other", "no other")):
        app = bare_app(tree({"x/route.py": code % name}))
        app.request_class = OwnRequest
        RouteHandlers(app)
        app.testing = True
        try:
            text = app.test_client().get("/api/x").text
        except AttributeError as error:
            text = str(error)
        assert text == found


def test_force_static_session_cannot_be_changed(make_app):
    app = make_app(handler("session.update(a=1)", "dynamic = 'force-static'"))
    app.secret_key = "x"
    assert str(error_of(app)) == (
        "The static GET of x/[id]/route.py set session['a'], but it runs without a client. "
        'Write dynamic = "force-dynamic" to run it for each request.'
    )


def test_an_empty_session_has_no_items(make_app):
    under = "dynamic = 'force-static'"
    app = make_app(handler("session.pop('a', 'nothing')", under))
    assert "nothing" in app.test_client().get("/api/x/7").text
    app = make_app(handler("session.__delitem__('a')", under))
    assert type(error_of(app)) is KeyError
    app = make_app(handler("session.__delitem__('a')"))
    assert type(error_of(app)) is StaticRequestError


def test_the_environ_has_nothing_of_the_client(make_app):
    app = make_app(handler("sorted(request.environ.items(), key=str)"))
    text = app.test_client().get("/api/x/7", **FULL_REQUEST).text
    assert "'PATH_INFO', '/api/x/7'" in text
    assert "client" not in text
    assert "HTTP_" not in text
    assert "77.77" not in text


def test_a_handler_may_use_g_itself(make_app, tmp_path):
    code = """
import sqlite3
from flask import g
revalidate = 60

def connection():
    if "connection" not in g:
        g.connection = sqlite3.connect(":memory:")
    return g.connection

def GET():
    assert g.setdefault("own", 5) == g.own == g.get("own") == 5
    assert sorted(g) == ["own"]
    total = connection().execute("SELECT 1 + 1").fetchone()[0]
    return {"sum": total, "same": connection() is g.connection}
"""
    app = make_app({"x/[id]/route.py": code})
    closed = []

    @app.teardown_appcontext
    def close(error):
        connection = g.pop("connection", None)
        if connection is not None:
            connection.close()
            closed.append(connection)

    assert app.test_client().get("/api/x/7").get_json() == {"sum": 2, "same": True}
    [connection] = closed
    with pytest.raises(sqlite3.ProgrammingError):
        connection.execute("SELECT 1")


def test_g_of_the_request_is_another_one(make_app):
    code = "from flask import g\nrevalidate = 60\ndef GET():\n    g.mine = 1\n    return list(g)\n"
    app = make_app({"x/[id]/route.py": code})
    seen = []
    app.before_request(lambda: setattr(g, "user", "of-client"))

    @app.after_request
    def look(response):
        seen.append(sorted(g))
        return response

    assert app.test_client().get("/api/x/7").get_json() == ["mine"]
    assert seen == [["user"]]


def test_context_variables_are_not_inherited(make_app):
    files = {
        "x/[id]/route.py": (
            "from who import user\nrevalidate = 60\ndef GET(): return user.get('nobody')\n"
        ),
        "middleware.py": (
            "from who import user\n"
            "def middleware(request, call_next):\n"
            "    user.set('of-client')\n    return call_next()\n"
        ),
    }
    module = ModuleType("who")
    module.user = ContextVar("user")
    sys.modules["who"] = module
    try:
        assert make_app(files).test_client().get("/api/x/7").text == "nobody"
    finally:
        del sys.modules["who"]


def test_teardown_functions_run_in_both_contexts(make_app):
    app = make_app(handler("id"))
    calls = []

    @app.teardown_request
    def end_request(error):
        calls.append(("request", g.get("user"), error))

    @app.teardown_appcontext
    def end(error):
        calls.append(("app", g.pop("user", None), error))

    app.before_request(lambda: setattr(g, "user", "of-client"))
    app.test_client().get("/api/x/7")
    assert calls == [
        ("request", None, None),
        ("app", None, None),
        ("request", "of-client", None),
        ("app", "of-client", None),
    ]


def test_teardown_functions_get_the_error(make_app):
    app = make_app(handler("1 / 0"))
    errors = []
    app.teardown_appcontext(errors.append)
    with pytest.raises(ZeroDivisionError):
        raise error_of(app)
    assert [type(error) for error in errors] == [ZeroDivisionError, ZeroDivisionError]


def test_before_request_runs_for_the_client_only(make_app):
    app = make_app(handler("id"))
    calls = []
    app.before_request(lambda: calls.append(dict(FULL_REQUEST["query_string"])))
    app.test_client().get("/api/x/7", **FULL_REQUEST)
    assert len(calls) == 1


def test_url_value_preprocessors_run_inside(make_app):
    app = make_app(handler("(id, g.lang)"))

    @app.url_value_preprocessor
    def preprocess(endpoint, values):
        values["id"] = values["id"] * 2
        g.lang = endpoint

    assert app.test_client().get("/api/x/7").text == repr(("77", "api./x/[id]"))


def test_url_value_preprocessors_are_sealed_too(make_app):
    app = make_app(handler("id"))
    calls = []

    @app.url_value_preprocessor
    def preprocess(endpoint, values):
        calls.append(endpoint)
        if len(calls) == 2:
            values["id"] = request.headers["User-Agent"]

    assert str(error_of(app)) == message("request.headers")


def test_looking_for_the_user_is_an_error(make_app):
    """Flask-Login looks into g, then into the session, then for a cookie."""
    code = """
from flask import g, has_request_context, request, session
from werkzeug.local import LocalProxy
revalidate = 60

def load_user():
    g._login_user = session.get("_user_id") or request.cookies.get("remember_token")

def get_user():
    if has_request_context():
        if not hasattr(g, "_login_user"):
            load_user()
        return g._login_user
    return None

current_user = LocalProxy(get_user)

def GET():
    return f"hello {current_user}"
"""
    app = make_app({"x/[id]/route.py": code})
    app.secret_key = "x"
    assert str(error_of(app)) == message("session")


def test_flask_login_cannot_be_asked(make_app):
    flask_login = pytest.importorskip("flask_login")
    code = (
        "from flask_login import current_user\nrevalidate = 60\n"
        "def GET(): return str(current_user.is_authenticated)\n"
    )
    app = make_app({"x/[id]/route.py": code})
    app.secret_key = "x"
    manager = flask_login.LoginManager(app)
    manager.user_loader(lambda user_id: None)
    assert isinstance(error_of(app), StaticRequestError)


@pytest.mark.parametrize("dynamic", ["error", "force-static"])
def test_flask_login_templates_need_force_static(make_app, dynamic):
    flask_login = pytest.importorskip("flask_login")
    code = (
        f"from flask import render_template_string\ndynamic = {dynamic!r}\n"
        "def GET(): return render_template_string('{{ current_user.is_authenticated }}')\n"
    )
    app = make_app({"x/[id]/route.py": code})
    app.secret_key = "x"
    manager = flask_login.LoginManager(app)
    manager.user_loader(lambda user_id: None)
    if dynamic == "error":
        assert isinstance(error_of(app), StaticRequestError)
    else:
        assert app.test_client().get("/api/x/1").text == "False"


def test_templates_cannot_read_client_input(make_app):
    code = (
        "from flask import render_template_string\nrevalidate = 60\n"
        "def GET(): return render_template_string('{{ request.args.q }}')\n"
    )
    assert str(error_of(make_app({"x/[id]/route.py": code}))) == message("request.args")


def test_templates_and_url_for_need_no_client(make_app):
    code = (
        "from flask import render_template_string, url_for\nrevalidate = 60\n"
        "def GET(id):\n"
        "    url = url_for('.//x/[id]', id=id, _external=True)\n"
        "    return render_template_string('{{ url }} {{ here }}', url=url, "
        "here=url_for(request_endpoint(), id=1))\n"
        "def request_endpoint():\n    from flask import request\n    return request.endpoint\n"
    ).replace(".//x", "./x")
    text = make_app({"x/[id]/route.py": code}).test_client().get("/api/x/7").text
    assert text == "http://localhost/api/x/7 /api/x/1"


@pytest.mark.parametrize(
    ("config", "options", "url"),
    [
        ({}, {}, "http://localhost/api/x/7"),
        ({"PREFERRED_URL_SCHEME": "https"}, {}, "https://localhost/api/x/7"),
        ({"APPLICATION_ROOT": "/shop"}, {}, "http://localhost/shop/api/x/7"),
        ({"SERVER_NAME": "shop.example"}, {}, "http://localhost/api/x/7"),
        (
            {"SERVER_NAME": "shop.example", "TRUSTED_HOSTS": ["shop.example"]},
            {},
            "http://shop.example/api/x/7",
        ),
        ({"TRUSTED_HOSTS": [".shop.example"]}, {}, "http://shop.example/api/x/7"),
        ({"TRUSTED_HOSTS": "shop.example"}, {}, "http://shop.example/api/x/7"),
        ({"TRUSTED_HOSTS": ["bücher.example"]}, {}, "http://bücher.example/api/x/7"),
        (
            {"SERVER_NAME": "bücher.example:8000", "TRUSTED_HOSTS": ["bücher.example"]},
            {},
            "http://bücher.example:8000/api/x/7",
        ),
        (
            {"SERVER_NAME": "shop.example:8000"},
            {"subdomain_matching": True},
            "http://shop.example:8000/api/x/7",
        ),
    ],
)
def test_the_url_follows_the_configuration(tree, config, options, url):
    app = bare_app(tree(handler("request.url")), **options)
    app.config.update(config)
    RouteHandlers(app)
    base = url.removesuffix("/api/x/7").replace("localhost", "shop.example")
    assert app.test_client().get("/api/x/7", base_url=base).text == repr(url)


def test_after_belongs_to_requests_of_clients(make_app):
    code = (
        "from flask_routehandlers import after\nrevalidate = 60\ndef GET(id):\n    after(print)\n"
    )
    app = make_app({"x/[id]/route.py": code})
    app.testing = True
    with pytest.raises(RuntimeError, match=r"^GET in x/\[id\]/route\.py is static: "):
        app.test_client().get("/api/x/7")


def test_after_this_request_changes_the_entry(make_app):
    code = (
        "from flask import after_this_request\nrevalidate = 60\n"
        "def GET():\n"
        "    @after_this_request\n"
        "    def add(response):\n"
        "        response.headers['X-Own'] = '1'\n"
        "        return response\n"
        "    return 'x'\n"
    )
    client = make_app({"x/[id]/route.py": code}).test_client()
    assert [client.get("/api/x/7").headers["X-Own"] for _ in range(2)] == ["1", "1"]


def test_a_custom_request_class_is_sealed(tree):
    class OwnRequest(Request):
        @property
        def tenant(self):
            return self.headers.get("X-Tenant")

        @property
        def kind(self):
            return f"own {self.method}"

    files = handler("request.kind")
    [code] = handler("request.tenant").values()
    app = bare_app(tree({**files, "y/[id]/route.py": code}))
    RouteHandlers(app)
    app.request_class = OwnRequest
    assert app.test_client().get("/api/x/7").text == repr("own GET")
    app.config["PROPAGATE_EXCEPTIONS"] = True
    with pytest.raises(StaticRequestError) as caught:
        app.test_client().get("/api/y/7", headers={"X-Tenant": "of-client"})
    assert str(caught.value) == message("request.headers", "y/[id]/route.py")


def test_converters_cannot_read_client_input(tree):
    class Own(BaseConverter):
        def to_python(self, value):
            return request.headers.get("X-Tenant", "") + value

    folder = tree({"y/[id=own]/route.py": "revalidate = 60\ndef GET(id): return id\n"})
    app = bare_app(folder)
    app.url_map.converters["own"] = Own
    RouteHandlers(app)
    app.config["PROPAGATE_EXCEPTIONS"] = True
    with pytest.raises(StaticRequestError) as caught:
        app.test_client().get("/api/y/7", headers={"X-Tenant": "of-client"})
    assert caught.value.what == "request.headers"


def test_a_sealed_class_has_the_attributes():
    request_class = seal_request_class(Request)
    assert request_class.args is Request.args
    assert issubclass(request_class, Request)


def test_a_copied_context_is_sealed_too(make_app):
    code = """
from concurrent.futures import ThreadPoolExecutor
from flask import copy_current_request_context, request, session
dynamic = "force-static"

def GET():
    look = copy_current_request_context(lambda: [request.path, dict(request.args), dict(session)])
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(look).result()
"""
    answer = make_app({"x/route.py": code}).test_client().get("/api/x?q=of-client")
    assert answer.get_json() == ["/api/x", {}, {}]


def test_other_methods_see_the_client(make_app):
    code = (
        "from flask import session\nrevalidate = 60\ndef GET(): return ''\n"
        "def POST(request):\n    session['a'] = 1\n    return request.args['q']\n"
    )
    app = make_app({"x/[id]/route.py": code})
    app.secret_key = "x"
    assert app.test_client().post("/api/x/7?q=1").text == "1"
