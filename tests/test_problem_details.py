"""HTTP errors of a tree are problem details, and whatever the app says itself comes first."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from urllib.parse import unquote_to_bytes

import pytest
from flask import Blueprint, Flask, abort, make_response, redirect, request
from hypothesis import example, given, settings
from hypothesis import strategies as st
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import (
    BadRequestKeyError,
    HTTPException,
    InternalServerError,
    MethodNotAllowed,
    NotFound,
    RequestedRangeNotSatisfiable,
    ServiceUnavailable,
    TooManyRequests,
    Unauthorized,
)
from werkzeug.test import create_environ, run_wsgi_app

from flask_routehandlers import RouteHandlers
from tests.support import ECHO, bare_app

PROBLEM = "application/problem+json"
HTML = {"Accept": "text/html"}
CANARY = "c4n4ry-in-a-c0al-m1ne"


class Teapot(HTTPException):
    code = 418
    description = "Short and stout."


class ShopError(Exception):
    """An error of an app that is no HTTP error by itself."""


class SoldOutError(HTTPException, ShopError):
    code = 410
    description = "The last one went yesterday."


class Unknown(HTTPException):
    code = 499


class Named(HTTPException):
    code = 409
    name = "Version Conflict"


class Signed(HTTPException):
    code = 451

    def get_headers(self, *arguments):
        return [
            *super().get_headers(*arguments),
            ("Link", "<a>"),
            ("Link", "<b>"),
            ("Vary", "DNT"),
        ]


class OwnBody(HTTPException):
    code = 400

    def get_body(self, environ=None, scope=None):
        return '{"code": "E17"}'

    def get_headers(self, environ=None, scope=None):
        return [("Content-Type", "application/json")]


class OwnResponse(HTTPException):
    code = 400

    def get_response(self, environ=None, scope=None):
        return make_response("my own", 400)


class Moved(HTTPException):
    code = 302


class Translated:
    """A text that is looked up when it is shown, as translations are."""

    def __str__(self):
        return f"not at {request.path}"


@pytest.fixture
def failing(tree):
    """An app with a tree whose ``/api/things`` calls a function, given for each test."""

    def make(fail, *, before=lambda app: None, **options):
        source = (
            "from flask import current_app\n\n"
            "def GET():\n    return current_app.config['FAIL']()\n\n"
            "async def POST():\n    return current_app.config['FAIL']()\n"
        )
        app = bare_app(tree({"things/route.py": source}))
        app.config["FAIL"] = fail
        before(app)
        RouteHandlers(app, **options)
        return app

    return make


def raising(error):
    """A function that raises an error: one instance for all requests, as an app may have it."""

    def fail():
        raise error

    return fail


def problem(response):
    """The members of a response that must be problem details."""
    assert response.content_type == PROBLEM
    assert "accept" in response.vary
    assert response.json["status"] == response.status_code
    return response.json


def raw(app, path):
    """What a percent-encoded path is answered with: status, body and content type."""
    environ = create_environ()
    environ["PATH_INFO"] = unquote_to_bytes(path).decode("latin-1")
    body, status, answered = run_wsgi_app(app, environ, buffered=True)
    return int(status[:3]), b"".join(body), answered.get("Content-Type")


NOT_FOUND = NotFound.description
BASIC, BEARER = WWWAuthenticate("basic", {"realm": "my shop"}), WWWAuthenticate("bearer")

ERRORS = {
    "a status": (lambda: abort(403), 403, "Forbidden", HTTPException, ()),
    "a description": (lambda: abort(404, "No such."), 404, "Not Found", "No such.", ()),
    "markup is text": (lambda: abort(400, "<b>&"), 400, "Bad Request", "<b>&", ()),
    "no description": (raising(Unknown()), 499, "Unknown Error", None, ()),
    "an empty description": (lambda: abort(409, ""), 409, "Conflict", "", ()),
    "a number": (lambda: abort(409, 17), 409, "Conflict", "17", ()),
    "a translation": (
        lambda: abort(404, Translated()), 404, "Not Found", "not at /api/things", (),
    ),
    "a subclass": (raising(Teapot()), 418, "I'm a teapot", "Short and stout.", ()),
    "a name": (raising(Named("v3 is newer")), 409, "Version Conflict", "v3 is newer", ()),
    "a base class of its own": (
        raising(SoldOutError()), 410, "Gone", SoldOutError.description, (),
    ),
    "headers of its own": (
        raising(Signed("court")), 451, "Unavailable For Legal Reasons", "court",
        (("Link", "<a>"), ("Link", "<b>"), ("Vary", "DNT, Accept")),
    ),
    "a challenge": (
        raising(Unauthorized("Who?", www_authenticate=BASIC)), 401, "Unauthorized", "Who?",
        (("WWW-Authenticate", 'Basic realm="my shop"'),),
    ),
    "two challenges": (
        raising(Unauthorized("Who?", www_authenticate=[BASIC, BEARER])), 401, "Unauthorized",
        "Who?", (("WWW-Authenticate", 'Basic realm="my shop"'), ("WWW-Authenticate", "Bearer")),
    ),
    "other methods": (
        raising(MethodNotAllowed(["PUT", "GET"], "Later.")), 405, "Method Not Allowed", "Later.",
        (("Allow", "PUT, GET"),),
    ),
    "a range": (
        raising(RequestedRangeNotSatisfiable(10, description="Ends at 10.")), 416,
        "Requested Range Not Satisfiable", "Ends at 10.", (("Content-Range", "bytes */10"),),
    ),
    "seconds": (
        raising(TooManyRequests("Slower.", retry_after=5)), 429, "Too Many Requests", "Slower.",
        (("Retry-After", "5"),),
    ),
    "a date": (
        raising(ServiceUnavailable("Closed.", retry_after=datetime(2030, 1, 2, tzinfo=UTC))), 503,
        "Service Unavailable", "Closed.", (("Retry-After", "Wed, 02 Jan 2030 00:00:00 GMT"),),
    ),
    "abort(500)": (lambda: abort(500), 500, "Internal Server Error", InternalServerError, ()),
}  # fmt: skip


@pytest.mark.parametrize("method", ["GET", "POST"], ids=["def", "async def"])
@pytest.mark.parametrize(
    ("fail", "status", "title", "detail", "headers"), ERRORS.values(), ids=ERRORS.keys()
)
def test_an_error_is_told_in_full_and_keeps_its_headers(
    failing, method, fail, status, title, detail, headers
):
    response = failing(fail).test_client().open("/api/things", method=method)
    expected = {"type": "about:blank", "title": title, "status": status, "instance": "/api/things"}
    if detail is HTTPException:
        expected["detail"] = response.json["detail"]
        assert "permission" in expected["detail"]
    elif detail is not None:
        expected["detail"] = getattr(detail, "description", detail)
    assert response.json == expected
    vary = () if any(name == "Vary" for name, _ in headers) else (("Vary", "Accept"),)
    length = ("Content-Length", str(len(response.data)))
    assert sorted(response.headers) == sorted([("Content-Type", PROBLEM), length, *vary, *headers])


def test_automatic_answers_of_a_route_are_problems_too(make_app):
    client = make_app({}, "things").test_client()
    response = client.post("/api/things")
    assert problem(response) == {
        "type": "about:blank",
        "title": "Method Not Allowed",
        "status": 405,
        "detail": MethodNotAllowed.description,
        "instance": "/api/things",
    }
    assert response.headers["Allow"] == "GET, HEAD, OPTIONS"


def test_errors_of_middleware_and_of_hooks_are_problems_too(make_app):
    refuse = (
        "from flask import abort\ndef middleware(request, call_next):\n    abort(401, 'in it')\n"
    )
    app = make_app({"deep/middleware.py": refuse}, "deep/things", "things")

    @app.before_request
    def refuse_too():
        if "hooked" in request.args:
            abort(403, "before it")

    client = app.test_client()
    assert problem(client.get("/api/deep/things"))["detail"] == "in it"
    assert problem(client.get("/api/things?hooked"))["detail"] == "before it"
    assert problem(client.get("/api/nothing?hooked"))["detail"] == "before it"
    assert client.get("/api/things").status_code == 200


# The app's own handlers ----------------------------------------------------------------------

OWN = {
    "a code": (404, lambda: abort(404)),
    "its class": (NotFound, lambda: abort(404)),
    "a subclass of the app": (Teapot, raising(Teapot())),
    "a code that only the app knows": (Unknown, raising(Unknown())),
    "HTTPException": (HTTPException, lambda: abort(404)),
    "Exception": (Exception, lambda: abort(404)),
    "a base class that is no HTTP error": (ShopError, raising(SoldOutError())),
    "KeyError": (KeyError, lambda: request.args["missing"]),
    "500, for what the app did not expect": (500, lambda: 1 // 0),
    "InternalServerError": (InternalServerError, lambda: 1 // 0),
    "HTTPException, for what the app did not expect": (HTTPException, lambda: 1 // 0),
    "Exception, for what the app did not expect": (Exception, lambda: 1 // 0),
    "ZeroDivisionError": (ZeroDivisionError, lambda: 1 // 0),
    "500, for abort(500)": (500, lambda: abort(500)),
}
WAYS = {
    "the app": lambda app, key, own: app.register_error_handler(key, own),
    "a blueprint, for the app": lambda app, key, own: register_by_blueprint(app, key, own),
}


def register_by_blueprint(app, key, own):
    blueprint = Blueprint("errors", __name__)
    blueprint.app_errorhandler(key)(own)
    app.register_blueprint(blueprint)


def own_answer(error):
    return f"own {type(error).__name__}", 444


async def own_answer_later(error):
    await asyncio.sleep(0)
    return own_answer(error)


@pytest.mark.parametrize("own", [own_answer, own_answer_later], ids=["def", "async def"])
@pytest.mark.parametrize("register", WAYS.values(), ids=WAYS.keys())
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(("key", "fail"), OWN.values(), ids=OWN.keys())
def test_a_handler_of_the_app_wins(failing, key, fail, when, register, own):
    app = failing(fail, before=lambda app: register(app, key, own) if when == "before" else None)
    if when == "after":
        register(app, key, own)
    client = app.test_client()
    response = client.get("/api/things")
    assert response.status_code == 444
    assert response.text.startswith("own ")
    assert "Vary" not in response.headers
    if key in (404, NotFound, HTTPException, Exception):
        assert client.get("/api/nothing").text == "own NotFound"


@pytest.mark.parametrize("key", [404, NotFound, HTTPException, Exception, ShopError])
def test_a_handler_of_a_blueprint_wins_for_its_views_alone(failing, key):
    app = failing(lambda: abort(404))
    blueprint = Blueprint("shop", __name__, url_prefix="/api/shop")
    blueprint.register_error_handler(key, own_answer)
    error = SoldOutError() if key is ShopError else NotFound()
    blueprint.add_url_rule("/", view_func=raising(error), endpoint="index")
    app.register_blueprint(blueprint)
    client = app.test_client()
    assert client.get("/api/shop/").text == f"own {type(error).__name__}"
    assert problem(client.get("/api/things"))["status"] == 404
    assert problem(client.get("/api/shop/nothing"))["status"] == 404


def test_the_most_special_of_several_handlers_is_asked(failing):
    app = failing(raising(SoldOutError()))
    app.register_error_handler(Exception, lambda error: "for all")
    client = app.test_client()
    assert client.get("/api/things").text == "for all"
    app = failing(raising(SoldOutError()))
    app.register_error_handler(Exception, lambda error: "for all")
    app.register_error_handler(ShopError, lambda error: "for the shop")
    assert app.test_client().get("/api/things").text == "for the shop"


def test_a_handler_may_return_the_error_as_it_is(failing):
    app = failing(lambda: abort(404))
    app.register_error_handler(Exception, lambda error: error)
    assert app.test_client().get("/api/things").content_type == "text/html; charset=utf-8"


def test_a_handler_for_unexpected_errors_gets_what_was_raised(failing):
    app = failing(raising(ValueError("from deep below")))
    app.register_error_handler(500, lambda error: repr(error.original_exception))
    assert app.test_client().get("/api/things").text == "ValueError('from deep below')"


# Everything else is as it was ------------------------------------------------------------------

READY = {
    "abort(Response)": lambda: abort(make_response("ready", 403, {"X-Own": "1"})),
    "an error with a response": lambda: abort(404, response=make_response("ready", 404)),
    "abort(redirect())": lambda: abort(redirect("/elsewhere")),
    "an error below 400": raising(Moved("over there")),
    "an error without a code": raising(HTTPException("no code")),
    "a body of its own": raising(OwnBody()),
    "a response of its own": raising(OwnResponse()),
    "a returned 404": lambda: ("none", 404),
}


def test_a_returned_error_counts_as_raised(make_app):
    app = make_app(
        {"x/route.py": "from werkzeug.exceptions import NotFound\ndef GET(): return NotFound('r')"}
    )
    response = app.test_client().get("/api/x")
    assert (response.status_code, response.mimetype) == (404, "application/problem+json")
    assert response.json["detail"] == "r"


def outcome(app, url, method="GET", headers=None):
    """The whole of an answer, or what comes through to the debugger."""
    try:
        body, status, answered = run_wsgi_app(
            app, create_environ(url, method=method, headers=headers), buffered=True
        )
    except Exception as error:
        return repr(error)
    return b"".join(body), status, sorted(answered)


@pytest.mark.parametrize("fail", READY.values(), ids=READY.keys())
def test_a_ready_answer_is_what_it_is_in_flask(failing, fail):
    app = failing(fail)
    plain = Flask(__name__)
    plain.add_url_rule("/api/things", view_func=fail, endpoint="things")
    assert outcome(app, "/api/things") == outcome(plain, "/api/things")


OTHER_URLS = (
    "GET /nothing", "GET /apix", "GET /apix/things", "GET /API/things", "POST /own/fine",
    "GET /own/404", "GET /own/dict", "GET /own/teapot", "GET /own/key", "GET /own/ready",
    "GET /own/crash", "GET /own/slash", "GET /own/static/nothing.css", "HEAD /nothing",
    "POST /api/own", "GET /api/own/404", "GET /api/own/slash", "OPTIONS /nothing",
)  # fmt: skip
SETTINGS = (
    {},
    {"DEBUG": True},
    {"TESTING": True},
    {"TRAP_HTTP_EXCEPTIONS": True},
    {"TRAP_HTTP_EXCEPTIONS": True, "TESTING": True},
    {"TRAP_BAD_REQUEST_ERRORS": True},
    {"TRAP_BAD_REQUEST_ERRORS": True, "DEBUG": True},
    {"TRAP_BAD_REQUEST_ERRORS": False, "DEBUG": True},
    {"PROPAGATE_EXCEPTIONS": True},
)


def add_views(app):
    errors = {
        "fine": lambda: "fine",
        "404": lambda: abort(404),
        "dict": lambda: abort(422, {"detail": "a dict"}),
        "teapot": raising(Teapot()),
        "key": lambda: request.args["missing"],
        "ready": READY["abort(Response)"],
        "crash": lambda: 1 // 0,
        "slash/": lambda: "with a slash",
    }
    for name, fail in errors.items():
        app.add_url_rule(f"/own/{name}", f"own {name}", fail)
        app.add_url_rule(f"/api/own/{name}", f"below {name}", fail)
    app.add_url_rule("/api/own", "own", lambda: "own")


@pytest.mark.parametrize("config", SETTINGS, ids=str)
@pytest.mark.parametrize("accept", ["*/*", "application/json", "text/html"])
def test_other_urls_of_the_app_are_answered_as_before(tree, config, accept):
    with_tree = bare_app(tree({}, "things"))
    without = Flask(with_tree.import_name, root_path=with_tree.root_path, static_folder=None)
    for app in (with_tree, without):
        app.config.update(config)
        add_views(app)
    RouteHandlers(with_tree)
    for method, url in map(str.split, OTHER_URLS):
        headers = {"Accept": accept}
        expected = outcome(without, url, method, headers)
        assert outcome(with_tree, url, method, headers) == expected, (method, url)


def test_an_app_whose_trees_have_no_problem_details_gets_no_handler(make_app):
    app = make_app({}, "things", problem_details=False)
    assert not any(app.error_handler_spec[None].values())


# Negotiation ---------------------------------------------------------------------------------

CHROME = (
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,"
    "*/*;q=0.8,application/signed-exchange;v=b3;q=0.7"
)
FIREFOX = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
OLD_FIREFOX = "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8"

ACCEPTED = {
    None: PROBLEM,
    "": PROBLEM,
    "*/*": PROBLEM,
    "*/*;q=0.1": PROBLEM,
    "application/json": PROBLEM,
    "application/problem+json": PROBLEM,
    "application/json, text/plain, */*": PROBLEM,  # axios
    "application/*": PROBLEM,
    "text/plain": PROBLEM,
    "text/event-stream": PROBLEM,
    "image/*": PROBLEM,
    "text/html;q=0": PROBLEM,
    "text/html;q=0.9, application/json": PROBLEM,
    "text/html;q=0.9, application/problem+json": PROBLEM,
    "text/html, application/json": PROBLEM,
    "application/json;q=0.5, text/html;q=0.5": PROBLEM,
    "text/html, */*": PROBLEM,
    "text/html;q=0.4, */*;q=0.5": PROBLEM,
    "nonsense": PROBLEM,
    ", ;q=1, text, */html": PROBLEM,
    "text/html": "text/html; charset=utf-8",
    "TEXT/HTML": "text/html; charset=utf-8",
    "text/*": "text/html; charset=utf-8",
    "text/html;q=0.1": "text/html; charset=utf-8",
    "text/html, application/json;q=0.9": "text/html; charset=utf-8",
    "application/json;q=0.5, text/html;q=0.6": "text/html; charset=utf-8",
    "application/problem+json;q=0, text/html": "text/html; charset=utf-8",
    "application/json;q=0, application/problem+json;q=0, */*": "text/html; charset=utf-8",
    "text/html, */*;q=0.9": "text/html; charset=utf-8",
    CHROME: "text/html; charset=utf-8",
    FIREFOX: "text/html; charset=utf-8",
    OLD_FIREFOX: "text/html; charset=utf-8",
}


@pytest.mark.parametrize(("accept", "content_type"), ACCEPTED.items(), ids=map(repr, ACCEPTED))
@pytest.mark.parametrize("url", ["/api/things", "/api/nothing"])
def test_a_client_that_prefers_html_gets_html(failing, url, accept, content_type):
    client = failing(lambda: abort(404)).test_client()
    response = client.get(url, headers={} if accept is None else {"Accept": accept})
    assert response.status_code == 404
    assert response.content_type == content_type
    assert response.headers.getlist("Vary") == ["Accept"]


def test_the_html_is_flasks_own_with_the_headers_of_the_error(failing):
    error = Unauthorized("<script>", www_authenticate=BASIC)
    response = failing(raising(error)).test_client().get("/api/things", headers=HTML)
    assert response.text == error.get_body()
    assert "<script>" not in response.text
    assert response.headers["WWW-Authenticate"] == 'Basic realm="my shop"'


def test_what_the_answer_varies_with_already_stays(failing):
    app = failing(lambda: abort(404))

    @app.after_request
    def add(response):
        response.vary.add("Origin")
        return response

    response = app.test_client().get("/api/things")
    assert set(response.vary) == {"Accept", "Origin"}


# Which URLs are a tree's ---------------------------------------------------------------------

PLACES = {
    None: {"/api": 1, "/api/": 1, "/api/x": 1, "/api/x/y": 1, "/apix": 0, "/": 0, "/x/api/x": 0,
           "/API/x": 0, "/api.json": 0, "/api%2Fx": 1, "/api%00": 0, "/ap%69/x": 1},
    "": {"/": 0, "/x": 0, "/api/x": 0},
    "/a.b+c/v1": {"/a.b+c/v1/x": 1, "/a.b+c/v1": 1, "/axb+c/v1/x": 0, "/a.b+c": 0, "/aab/v1/x": 0},
    "/<lang>/api": {"/en/api/x": 1, "/en/api": 1, "/en/apix": 0, "/en": 0, "/en/x/api/x": 0,
                    "/%C3%A9/api/x": 1, "//api/x": 0},
    "/v<int:version>": {"/v1/x": 1, "/v12": 1, "/v1x": 0, "/v/x": 0, "/vx/x": 0},
    "/<any(en, fr):lang>": {"/en/x": 1, "/fr": 1, "/de/x": 0, "/enx": 0},
}  # fmt: skip


@pytest.mark.parametrize(
    ("url_prefix", "path", "ours"),
    [(prefix, path, bool(ours)) for prefix, of in PLACES.items() for path, ours in of.items()],
)
def test_what_no_rule_matches_is_a_problem_below_the_prefix(make_app, url_prefix, path, ours):
    app = make_app({}, "things", url_prefix=url_prefix)
    status, body, content_type = raw(app, path)
    assert status == 404
    assert content_type == (PROBLEM if ours else "text/html; charset=utf-8")
    if ours:
        assert app.json.loads(body)["detail"] == NOT_FOUND


UNCLEAN = ("/api/../things", "/api/./things", "/api//things", "/api/things/", "/api/a%00",
           "/api/%FF", "/api/a%5Cb", "/api/a%0Ab", "/api/%C3%28", "//api/things",
           "///api///things")  # fmt: skip


@pytest.mark.parametrize("path", UNCLEAN)
def test_an_unclean_path_is_a_problem_too(make_app, path):
    app = make_app({}, "things", "[slug]")
    status, body, content_type = raw(app, path)
    assert (status, content_type) == (404, PROBLEM)
    assert app.json.loads(body)["detail"] == NOT_FOUND


def test_a_rule_of_the_app_below_the_prefix_stays_the_apps(make_app):
    app = make_app({}, "things")
    app.add_url_rule("/api/own/<name>", view_func=lambda name: abort(404), endpoint="own")
    client = app.test_client()
    for method in ("GET", "POST"):
        response = client.open("/api/own/x", method=method)
        assert response.status_code == (404 if method == "GET" else 405)
        assert response.content_type == "text/html; charset=utf-8"
        assert "Vary" not in response.headers


def test_what_a_hook_refuses_before_a_redirect_of_the_app_stays_the_apps(make_app):
    app = make_app({}, "things")
    app.add_url_rule("/api/own/", view_func=lambda: "own", endpoint="own")
    app.before_request(lambda: abort(401))
    client = app.test_client()
    assert client.get("/api/own").content_type == "text/html; charset=utf-8"
    assert problem(client.get("/api/owned"))["status"] == 401


def test_errors_in_routes_of_a_tree_without_prefix_are_problems(failing):
    client = failing(lambda: abort(404), url_prefix="").test_client()
    assert problem(client.get("/things"))["instance"] == "/things"
    assert problem(client.put("/things"))["status"] == 405
    assert client.get("/nothing").content_type == "text/html; charset=utf-8"


def test_the_instance_begins_with_where_the_app_is_mounted(failing):
    app = failing(lambda: abort(404))
    for url in ("/api/things", "/api/nothing"):
        response = app.test_client().get(url, base_url="http://localhost/mounted/here%20now")
        assert problem(response)["instance"] == f"/mounted/here%20now{url}"
    app.config["APPLICATION_ROOT"] = "/root"
    assert problem(app.test_client().get("/api/things"))["instance"] == "/root/api/things"


def test_a_host_that_the_app_does_not_trust_is_a_problem(make_app):
    app = make_app({}, "things")
    app.config["TRUSTED_HOSTS"] = ["example.com"]
    client = app.test_client()
    assert problem(client.get("/api/things", headers={"Host": "evil.com"}))["status"] == 400
    assert client.get("/api/things", headers={"Host": "example.com"}).status_code == 200


# Descriptions that are dicts -----------------------------------------------------------------

BASE = {
    "type": "about:blank",
    "title": "Unprocessable Entity",
    "status": 422,
    "instance": "/api/things",
}
DICTS = {
    "extra members": (
        {"detail": "Two are wrong.", "errors": [{"pointer": "#/age"}]},
        BASE | {"detail": "Two are wrong.", "errors": [{"pointer": "#/age"}]},
    ),
    "every member of the RFC": (
        {"type": "/problems/1", "title": "Bad", "detail": "So bad.", "instance": "/log/7"},
        {"type": "/problems/1", "title": "Bad", "detail": "So bad.", "instance": "/log/7",
         "status": 422},
    ),
    "the status stays": ({"status": 200}, BASE),
    "a member that is None is left out": (
        {"detail": None, "instance": None, "title": None, "type": None, "status": None},
        {"status": 422},
    ),
    "another member may be null": ({"balance": None}, BASE | {"balance": None}),
    "no member": ({}, BASE),
    "what Flask's JSON knows": (
        {"at": datetime(2030, 1, 2, tzinfo=UTC)}, BASE | {"at": "Wed, 02 Jan 2030 00:00:00 GMT"},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("description", "expected"), DICTS.values(), ids=DICTS.keys())
def test_a_description_that_is_a_dict_gives_members(failing, description, expected):
    given_before = dict(description)
    client = failing(lambda: abort(422, description)).test_client()
    for _ in range(2):
        assert problem(client.get("/api/things")) == expected
    assert description == given_before


class OutOfCredit(HTTPException):
    code = 403

    def __init__(self, balance):
        super().__init__({"detail": f"<{balance} left>", "balance": balance})
        self.balance = balance

    def get_headers(self, *arguments):
        return [*super().get_headers(*arguments), ("X-Balance", str(self.balance))]


def test_html_shows_the_detail_of_a_dict_and_leaves_the_error_as_it_was(failing):
    error = OutOfCredit(30)
    client = failing(raising(error)).test_client()
    response = client.get("/api/things", headers=HTML)
    assert "<p>&lt;30 left&gt;</p>" in response.text
    assert "balance" not in response.text
    assert response.headers["X-Balance"] == "30"
    assert problem(client.get("/api/things"))["balance"] == 30
    error.description = {"balance": 30}
    assert "<p></p>" in client.get("/api/things", headers=HTML).text
    assert error.description == {"balance": 30}


def test_a_dict_of_what_is_no_json_is_an_error_of_the_app(failing):
    app = failing(lambda: abort(422, {"what": object()}))
    response = app.test_client().get("/api/things")
    assert problem(response)["title"] == "Internal Server Error"
    assert "object" not in response.text
    app.testing = True
    with pytest.raises(TypeError, match="not JSON serializable"):
        app.test_client().get("/api/things")


def test_the_apps_own_json_and_response_class_are_used(failing):
    app = failing(lambda: abort(422, {"what": {1, 2}}))
    app.json.default = sorted
    app.response_class = type("Response", (app.response_class,), {"own": True})
    app.after_request(lambda response: response.headers.add("X-Own", response.own) or response)
    response = app.test_client().get("/api/things")
    assert problem(response)["what"] == [1, 2]
    assert response.headers["X-Own"] == "True"


# What nobody expected ------------------------------------------------------------------------


@pytest.mark.parametrize("accept", ["*/*", "text/html"])
@pytest.mark.parametrize("method", ["GET", "POST"], ids=["def", "async def"])
def test_an_unexpected_error_shows_nothing_of_itself(failing, method, accept):
    def fail():
        try:
            raise KeyError(CANARY)
        except KeyError as error:
            error.add_note(CANARY)
            raise type(CANARY, (ValueError,), {})(CANARY) from error

    client = failing(fail).test_client()
    response = client.open("/api/things", method=method, headers={"Accept": accept})
    assert response.status_code == 500
    assert CANARY not in response.text + str(response.headers)
    assert "Error" not in response.text.replace("Internal Server Error", "")
    assert InternalServerError.description in response.text
    if accept == "*/*":
        assert problem(response) == {
            "type": "about:blank",
            "title": "Internal Server Error",
            "status": 500,
            "detail": InternalServerError.description,
            "instance": "/api/things",
        }


@pytest.mark.parametrize("config", [{"DEBUG": True}, {"TESTING": True}], ids=str)
def test_the_debugger_and_tests_get_the_error_itself(failing, config):
    app = failing(raising(ValueError(CANARY)))
    app.config.update(config)
    with pytest.raises(ValueError, match=CANARY):
        app.test_client().get("/api/things")


@pytest.mark.parametrize("config", [{"DEBUG": True}, {"TESTING": True}], ids=str)
def test_http_errors_are_problems_in_debug_mode_and_in_tests_too(failing, config):
    app = failing(lambda: abort(404))
    app.config.update(config)
    assert problem(app.test_client().get("/api/things"))["status"] == 404
    assert problem(app.test_client().get("/api/nothing"))["status"] == 404


@pytest.mark.parametrize("error", [NotFound(), InternalServerError()], ids=["404", "500"])
def test_trapped_http_errors_go_on_to_the_debugger(failing, error):
    app = failing(raising(error))
    app.config.update(TRAP_HTTP_EXCEPTIONS=True, DEBUG=True)
    with pytest.raises(HTTPException) as caught:
        app.test_client().get("/api/things")
    assert caught.value is error
    assert caught.traceback[-1].name == "fail"


def test_trapped_http_errors_are_unexpected_outside_debug(failing):
    app = failing(lambda: abort(404, CANARY))
    app.config["TRAP_HTTP_EXCEPTIONS"] = True
    response = app.test_client().get("/api/things")
    assert problem(response)["detail"] == InternalServerError.description
    assert CANARY not in response.text


def test_a_missing_key_of_the_request_is_named_only_in_debug_mode(failing):
    app = failing(lambda: request.args[CANARY])
    response = app.test_client().get("/api/things")
    assert problem(response)["detail"] == BadRequestKeyError().description
    assert CANARY not in response.text
    app.debug = True
    with pytest.raises(BadRequestKeyError):
        app.test_client().get("/api/things")
    app.config["TRAP_BAD_REQUEST_ERRORS"] = False
    assert CANARY in problem(app.test_client().get("/api/things"))["detail"]
    assert app.test_client().get("/api/things", headers=HTML).text.count(CANARY) == 1


def test_head_has_the_headers_and_no_body(failing):
    client = failing(raising(TooManyRequests(retry_after=5))).test_client()
    for url in ("/api/things", "/api/nothing"):
        head, get = client.head(url), client.get(url)
        assert head.data == b""
        assert (head.status_code, head.headers) == (get.status_code, get.headers)
        assert head.content_type == PROBLEM


def test_an_error_in_a_stream_ends_it_and_adds_nothing(failing):
    def fail():
        yield "first"
        abort(404, "too late")

    app = failing(lambda: fail())
    body, status, _ = run_wsgi_app(app, create_environ("/api/things"))
    chunks = iter(body)
    assert (next(chunks), status) == (b"first", "200 OK")
    with pytest.raises(NotFound):
        next(chunks)
    body.close()


# Several trees, several apps -----------------------------------------------------------------


def test_a_tree_can_do_without(failing):
    app = failing(raising(TooManyRequests(retry_after=5)), problem_details=False)
    plain = Flask(__name__)
    plain.add_url_rule("/api/things", "things", app.config["FAIL"])
    for url in ("/api/things", "/api/nothing"):
        assert outcome(app, url) == outcome(plain, url)


@pytest.mark.parametrize("first", ["with", "without"])
def test_each_tree_has_a_setting_of_its_own(tree, first):
    app = bare_app(tree({"things/route.py": "def POST(): ..."}))
    trees = [
        {"url_prefix": "/with", "name": "with"},
        {"url_prefix": "/without", "name": "without", "problem_details": False},
        {"url_prefix": "/with/out", "name": "inner", "problem_details": False},
        {"url_prefix": "/without/with", "name": "innermost"},
    ]
    for options in trees if first == "with" else reversed(trees):
        RouteHandlers(app, **options)
    client = app.test_client()
    for url in ("/things", "/nothing", ""):
        assert problem(client.get(f"/with{url}"))
        assert problem(client.get(f"/without/with{url}"))
        assert client.get(f"/without{url}").content_type == "text/html; charset=utf-8"
        assert client.get(f"/with/out{url}").content_type == "text/html; charset=utf-8"


def test_each_app_answers_by_its_own_settings(tree):
    folder = tree({}, "things")
    extension = RouteHandlers(root="app/api")
    first, second, third = bare_app(folder), bare_app(folder), bare_app(folder)
    first.register_error_handler(404, own_answer)
    extension.init_app(first)
    extension.init_app(second)
    RouteHandlers(third, problem_details=False)
    assert first.test_client().get("/api/nothing").text == "own NotFound"
    assert problem(second.test_client().get("/api/nothing"))
    assert third.test_client().get("/api/nothing").content_type == "text/html; charset=utf-8"


# Extensions of others ------------------------------------------------------------------------

WEBARGS = """
from flask import abort
from webargs import fields
from webargs.flaskparser import FlaskParser

parser = FlaskParser()

@parser.use_kwargs({"age": fields.Int(required=True)}, location="query")
def GET(age):
    return {"age": age}

told = FlaskParser()

@told.error_handler
def tell(error, request, schema, *, error_status_code, error_headers):
    abort(422, {"detail": "The body is not valid.", "errors": error.messages})

@told.use_kwargs({"age": fields.Int(required=True)}, location="json")
def POST(age):
    return {"age": age}
"""


def test_webargs_messages_are_told_by_an_error_handler_as_in_flask(make_app):
    app = make_app({"things/route.py": WEBARGS})
    client = app.test_client()
    messages = {"json": {"age": ["Not a valid integer."]}}
    assert problem(client.post("/api/things", json={"age": "x"})) == BASE | {
        "detail": "The body is not valid.",
        "errors": messages,
    }
    assert problem(client.get("/api/things?age=x")).keys() == {*BASE, "detail"}

    app = make_app({"things/route.py": WEBARGS})
    app.register_error_handler(422, lambda error: (error.data["messages"], 422))
    response = app.test_client().get("/api/things?age=x")
    assert response.json == {"query": {"age": ["Not a valid integer."]}}


def test_flask_limiter_tells_the_limit_and_when_to_come_back(make_app):
    from flask_limiter import Limiter

    app = make_app({}, "things")
    Limiter(
        lambda: "me", app=app, default_limits=["1 per day"], storage_uri="memory://",
        headers_enabled=True,
    )  # fmt: skip
    client = app.test_client()
    assert client.get("/api/things").status_code == 200
    response = client.get("/api/things")
    told = problem(response)
    assert (told["status"], told["title"], told["detail"]) == (
        429, "Too Many Requests", "1 per 1 day",
    )  # fmt: skip
    assert int(response.headers["Retry-After"]) > 80_000
    assert response.headers["X-RateLimit-Remaining"] == "0"


def test_flask_jwt_extended_answers_in_its_own_way(make_app):
    from flask_jwt_extended import JWTManager

    source = "from flask_jwt_extended import jwt_required\n\n@jwt_required()\ndef GET(): ...\n"
    app = make_app({"things/route.py": source})
    app.config["JWT_SECRET_KEY"] = "a secret for tests, longer than 32 bytes"
    JWTManager(app)
    response = app.test_client().get("/api/things")
    assert (response.status_code, response.json) == (401, {"msg": "Missing Authorization Header"})
    assert response.content_type == "application/json"


# What clients send ---------------------------------------------------------------------------

INSTANCES = {
    "/api/a%0D%0ASet-Cookie:%20a=b": "/api/a%0D%0ASet-Cookie:%20a=b",
    "/api/%22%7D%3Cscript%3E": "/api/%22%7D%3Cscript%3E",
    "/api/caf%C3%A9/日本": "/api/caf%C3%A9/%E6%97%A5%E6%9C%AC",
    "/api/%FF": "/api/%EF%BF%BD",
    "/api/%2525%23%3F": "/api/%2525%23%3F",
    "/api/a/../b": "/api/a/../b",
    "/api/%00%7F": "/api/%00%7F",
    "/api/a;b=1,2:@!$&'()*+~_-.": "/api/a;b=1,2:@!$&'()*+~_-.",
    "//api/things": "/api/things",
    "/api/things?token=secret#part": "/api/things%3Ftoken=secret%23part",
}


@pytest.mark.parametrize(("path", "instance"), INSTANCES.items())
def test_the_instance_is_the_path_percent_encoded(make_app, path, instance):
    app = make_app({}, "things")
    _, body, _ = raw(app, path)
    assert app.json.loads(body)["instance"] == instance


def test_the_instance_leaves_the_query_out(make_app):
    response = make_app({}, "things").test_client().get(f"/api/nothing?token={CANARY}")
    assert problem(response)["instance"] == "/api/nothing"
    assert CANARY not in response.text


def test_nothing_of_an_error_gets_into_the_headers_but_its_own(failing):
    split = "a\r\nSet-Cookie: a=b\r\n\r\n<html>"
    for description in (split, {"detail": split, "title": split, split: split}):
        response = failing(lambda d=description: abort(400, d)).test_client().get("/api/things")
        assert problem(response)["detail"] == split
        assert set(response.headers.keys()) == {"Content-Type", "Content-Length", "Vary"}


#: RFC 3986: an absolute path of segments, and not the ``//`` of another host.
ABSOLUTE_PATH = re.compile(r"/(?!/)(?:[\w\-.~!$&'()*+,;=:@/]|%[0-9A-F]{2})*", re.ASCII)
BYTES = st.one_of(
    st.binary(max_size=24),
    st.text(max_size=16).map(lambda text: text.encode(errors="surrogatepass")),
    st.lists(st.sampled_from([b"..", b".", b"", b"things", b"%2e", b"7", b"x"])).map(b"/".join),
)


@pytest.fixture(scope="module")
def any_path_app(tmp_path_factory):
    folder = tmp_path_factory.mktemp("any_path")
    for route in ("things", "things/[n=int]", "[slug]/x", "deep/[...rest]"):
        (folder / "app/api" / route).mkdir(parents=True, exist_ok=True)
        (folder / "app/api" / route / "route.py").write_text(ECHO)
    app = bare_app(folder)
    RouteHandlers(app, url_prefix="/<lang>/api")
    return app


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(
    st.sampled_from(["/", "//", ""]),
    st.sampled_from([b"en", "é".encode(), b"%", b"..", b"\r\n"]),
    BYTES,
    st.sampled_from(["GET", "HEAD", "POST", "OPTIONS", "BREW"]),
    st.sampled_from(["", "/mounted", "/\xc3\xa9"]),
)
@example("/", b"en", b"\xff\x00\r\n\xed\xa0\x80", "GET", "")
def test_any_path_that_is_not_found_below_the_prefix_is_a_valid_problem(
    any_path_app, start, lang, path, method, script_name
):
    environ = create_environ("/", method=method)
    environ["PATH_INFO"] = start + (lang + b"/api/" + path).decode("latin-1")
    environ["SCRIPT_NAME"] = script_name
    body, status, headers = run_wsgi_app(any_path_app, environ, buffered=True)
    assert int(status[:3]) < 500
    if status.startswith("2"):
        return
    assert status in ("404 NOT FOUND", "405 METHOD NOT ALLOWED")
    assert headers["Content-Type"] == PROBLEM
    text = b"".join(body)
    if method == "HEAD":
        assert text == b""
        return
    details = any_path_app.json.loads(text.decode("ascii"))
    assert details.keys() == {"type", "title", "status", "detail", "instance"}
    assert details["status"] == int(status[:3])
    assert ABSOLUTE_PATH.fullmatch(details["instance"])
