"""The view that Flask stores for a route file, and the handler that it acts as."""

from __future__ import annotations

import inspect
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import WRAPPER_ASSIGNMENTS
from threading import Barrier
from typing import Any

import pytest
from flask import Flask, Response, current_app, request
from flask.views import MethodView

from flask_routehandlers import RouteHandlers
from tests.support import bare_app

ENDPOINT = "api./users/[id]"

#: Each handler puts its name into a header, so that HEAD and preflights show which one answered.
USERS = '''
"""One user."""

import functools


def tagged(tag, **attributes):
    def decorate(handler):
        @functools.wraps(handler)
        def decorated(**values):
            return handler(**values)

        vars(decorated).update(attributes, tag=tag)
        return decorated

    return decorate


@tagged("read")
def GET(id: str):
    """Read the user."""
    return "", {"Handler": "GET"}


@tagged("write", provide_automatic_options=False)
def POST(id: str, *, params):
    """Write the user."""
    return "", {"Handler": "POST"}


def PUT(id: str, request=None):
    return "", {"Handler": "PUT"}


async def DELETE(id: str):
    """Remove the user."""
    return "", {"Handler": "DELETE"}
'''

NO_HEAD = """
def GET():
    return "", {"Handler": "GET"}


GET.provide_automatic_options = False
"""

EVERY_METHOD = f"""{NO_HEAD}
def HEAD():
    return "", {{"Handler": "HEAD"}}


def OPTIONS():
    return "", {{"Handler": "OPTIONS"}}
"""

#: The methods that USERS handles.
HANDLERS = ("GET", "POST", "PUT", "DELETE")


@pytest.fixture
def served(make_app):
    """Return an app with the route files above."""
    return make_app(
        {
            "users/[id]/route.py": USERS,
            "every/route.py": EVERY_METHOD,
            "cors/route.py": NO_HEAD,
        }
    )


def preflight(method: str) -> dict[str, str]:
    """Return the headers of a preflight request for a method."""
    return {"Origin": "https://example.org", "Access-Control-Request-Method": method}


def module_of(app: Flask, endpoint: str = ENDPOINT) -> Any:
    """Return the module of the route file of an endpoint."""
    return sys.modules[app.view_functions[endpoint].__module__]


def test_outside_a_request_the_view_is_its_file(served):
    view = served.view_functions[ENDPOINT]
    assert (view.__name__, view.__qualname__, view.__doc__) == (ENDPOINT, ENDPOINT, "One user.")
    assert module_of(served).__file__.endswith("/app/api/users/[id]/route.py")


def test_outside_a_request_it_takes_any_values(served):
    view = served.view_functions[ENDPOINT]
    (parameter,) = inspect.signature(view).parameters.values()
    assert parameter.kind is inspect.Parameter.VAR_KEYWORD
    assert view.__annotations__.keys() <= {parameter.name, "return"}
    assert inspect.unwrap(view) is view


def test_outside_a_request_it_has_no_attributes(served):
    view = served.view_functions[ENDPOINT]
    with pytest.raises(AttributeError, match=re.escape(f"{view!r} has no attribute 'tag'")):
        view.tag  # noqa: B018


def test_a_docstring_may_be_missing(served):
    assert served.view_functions["api./every"].__doc__ is None


@pytest.mark.parametrize("name", WRAPPER_ASSIGNMENTS)
@pytest.mark.parametrize("method", HANDLERS)
def test_in_a_request_it_is_like_a_wrapper(served, method, name):
    handler = getattr(module_of(served), method)
    with served.test_request_context("/api/users/3", method=method):
        assert getattr(served.view_functions[ENDPOINT], name) == getattr(handler, name)


@pytest.mark.parametrize("method", HANDLERS)
def test_in_a_request_inspect_sees_through_it(served, method):
    view, handler = served.view_functions[ENDPOINT], getattr(module_of(served), method)
    with served.test_request_context("/api/users/3", method=method):
        assert inspect.unwrap(view) is inspect.unwrap(handler)
        assert inspect.signature(view) == inspect.signature(handler)


@pytest.mark.parametrize(
    ("method", "attributes"),
    [
        ("GET", {"tag": "read"}),
        ("POST", {"tag": "write", "provide_automatic_options": False}),
        ("PUT", {}),
    ],
)
def test_in_a_request_it_has_set_attributes(served, method, attributes):
    view = served.view_functions[ENDPOINT]
    with served.test_request_context("/api/users/3", method=method):
        names = [name for name in ("tag", "provide_automatic_options") if hasattr(view, name)]
        assert {name: getattr(view, name) for name in names} == attributes


@pytest.mark.parametrize("method", HANDLERS)
def test_the_view_is_never_a_coroutine_function(served, method):
    # Flask asks on every request; a yes would send calls of sync handlers through asyncio too.
    view = served.view_functions[ENDPOINT]
    assert not inspect.iscoroutinefunction(view)
    with served.test_request_context("/api/users/3", method=method):
        assert not inspect.iscoroutinefunction(view)


def test_the_repr_names_endpoint_and_file(served):
    view = served.view_functions[ENDPOINT]
    assert repr(view) == "<Endpoint api./users/[id] from users/[id]/route.py>"
    with served.test_request_context("/api/users/3"):
        assert repr(view) == "<Endpoint api./users/[id] from users/[id]/route.py>"


def test_a_view_is_hashable_and_equals_itself(served):
    views = served.view_functions
    with served.test_request_context("/api/users/3"):
        assert {views[ENDPOINT]: 1}[views[ENDPOINT]] == 1
        assert views[ENDPOINT] != views["api./every"]
    assert views[ENDPOINT] != module_of(served).GET


@pytest.mark.parametrize(
    ("url", "method", "headers", "name"),
    [
        *(("/api/users/3", method, {}, method) for method in HANDLERS),
        ("/api/users/3", "HEAD", {}, "GET"),
        ("/api/every", "HEAD", {}, "HEAD"),
        # OPTIONS is the file's, unless a handler answers its own preflight.
        ("/api/users/3", "OPTIONS", {}, None),
        ("/api/users/3", "OPTIONS", preflight("POST"), "POST"),
        ("/api/users/3", "OPTIONS", preflight("post"), None),
        ("/api/users/3", "OPTIONS", preflight("GET"), None),
        ("/api/users/3", "OPTIONS", preflight("HEAD"), None),
        ("/api/users/3", "OPTIONS", preflight("PATCH"), None),
        ("/api/cors", "OPTIONS", preflight("GET"), "GET"),
        ("/api/cors", "OPTIONS", preflight("HEAD"), "GET"),
        ("/api/every", "OPTIONS", {}, "OPTIONS"),
        ("/api/every", "OPTIONS", preflight("GET"), "OPTIONS"),
        # The header means nothing elsewhere.
        ("/api/users/3", "GET", preflight("POST"), "GET"),
        # 405
        ("/api/users/3", "PATCH", {}, None),
        ("/api/users/3", "BREW", preflight("POST"), None),
    ],
)
def test_the_view_is_the_handler_that_answers(served, url, method, headers, name):
    @served.after_request
    def show(response: Response) -> Response:
        response.headers["View"] = served.view_functions[request.endpoint].__name__
        response.headers["Endpoint"] = request.endpoint
        return response

    response = served.test_client().open(url, method=method, headers=headers)
    assert response.headers.get("Handler") == name
    assert response.headers["View"] == (name or response.headers["Endpoint"])


def test_the_view_is_the_handler_in_all_hooks(served):
    seen = []

    def see(*_: Any) -> None:
        seen.append(served.view_functions[request.endpoint].tag)

    served.before_request(see)
    served.after_request(lambda response: see() or response)
    served.teardown_request(see)
    assert served.test_client().get("/api/users/3").status_code == 200
    assert seen == ["read", "read", "read"]
    assert served.view_functions[ENDPOINT].__name__ == ENDPOINT


def test_a_handler_may_have_no_name(make_app):
    app = make_app(
        {"route.py": "from functools import partial\n\nGET = partial(dict, state='up')\n"}
    )
    view = app.view_functions["api./"]
    with app.test_request_context("/api"):
        assert (view.__name__, view.__qualname__) == ("api./", "api./")
    assert app.test_client().get("/api").json == {"state": "up"}


def test_views_of_other_endpoints_are_their_files(served):
    with served.test_request_context("/api/every"):
        assert served.view_functions["api./every"].__name__ == "GET"
        assert served.view_functions[ENDPOINT].__name__ == ENDPOINT
        assert not hasattr(served.view_functions[ENDPOINT], "tag")


@pytest.mark.parametrize("url", ["/api/nothing", "/elsewhere"])
def test_an_unmatched_request_changes_no_view(served, url):
    with served.test_request_context(url):
        assert all(view.__name__ == name for name, view in served.view_functions.items())


def test_a_nested_request_has_its_own_handler(served):
    view = served.view_functions[ENDPOINT]
    seen = []
    with served.test_request_context("/api/users/3", method="PUT"):
        for url, method in [("/api/users/4", "POST"), ("/api/every", "GET")]:
            with served.test_request_context(url, method=method):
                seen.append(view.__name__)
            seen.append(view.__name__)
        with served.app_context():
            seen.append(view.__name__)
    assert seen == ["POST", "PUT", ENDPOINT, "PUT", "PUT"]


def test_a_request_of_another_app_changes_no_view(served, tree):
    other = bare_app(tree({"users/[id]/route.py": USERS}))
    RouteHandlers(other)
    with other.test_request_context("/api/users/3", method="PUT"):
        assert other.view_functions[ENDPOINT].__name__ == "PUT"
        assert served.view_functions[ENDPOINT].__name__ == ENDPOINT


def test_each_thread_sees_its_own_handler(make_app):
    methods = ("DELETE", "GET", "PATCH", "POST", "PUT", "QUERY", "OPTIONS", "HEAD")
    handler = "\ndef {0}(request):\n    return current_app.meet()\n\n{0}.tag = '{0}'\n"
    source = "from flask import current_app\n" + "".join(map(handler.format, methods))
    app = make_app({"busy/route.py": source})
    barrier = Barrier(64)

    def meet() -> tuple[str, dict[str, str]]:
        barrier.wait(timeout=120)  # all 64 requests are in their handlers now
        view = current_app.view_functions[request.endpoint]
        names = {f"{view.tag} {view.__name__}" for _ in range(50)}
        barrier.wait(timeout=120)
        return "", {"Tags": ", ".join(names)}

    app.meet = meet

    def tags(method: str) -> str:
        response = app.test_client().open("/api/busy", method=method)
        return response.headers.get("Tags", "failed")

    requested = methods * 8
    with ThreadPoolExecutor(64) as pool:
        seen = list(pool.map(tags, requested))
    assert seen == [f"{method} {method}" for method in requested]


class TestTheViewClass:
    """The attributes that extensions read from a view made by ``MethodView.as_view``."""

    def test_is_a_method_view_of_the_handlers(self, served):
        view = served.view_functions[ENDPOINT]
        assert issubclass(view.view_class, MethodView)
        assert view.view_class.init_every_request is False
        assert view.view_class is view.view_class
        assert view.methods == view.view_class.methods == set(HANDLERS)
        assert view.view_class.__module__ == module_of(served).__name__

    def test_has_a_method_for_query_requests(self, make_app):
        app = make_app({"route.py": "def QUERY():\n    return {'found': []}\n"})
        view = app.view_functions["api./"]
        assert view.methods == view.view_class.methods == {"QUERY"}
        with app.test_request_context("/api", method="QUERY"):
            assert view.view_class().dispatch_request() == {"found": []}

    def test_lists_only_methods_that_are_handled(self, served):
        # HEAD and OPTIONS are answered, but a documentation of the file would not name them.
        assert served.view_functions["api./cors"].methods == {"GET"}

    @pytest.mark.parametrize("method", HANDLERS)
    def test_has_methods_that_are_like_handlers(self, served, method):
        handler = getattr(module_of(served), method)
        wrapper = getattr(served.view_functions[ENDPOINT].view_class, method.lower())
        assert (wrapper.__module__, wrapper.__qualname__) == (handler.__module__, method)
        assert wrapper.__doc__ == handler.__doc__
        assert inspect.unwrap(wrapper) is inspect.unwrap(handler)

    @pytest.mark.parametrize(("method", "handler"), [(m, m) for m in HANDLERS] + [("HEAD", "GET")])
    def test_answers_like_the_view_itself(self, served, method, handler):
        with served.test_request_context("/api/users/3", method=method):
            answer = served.view_functions[ENDPOINT].view_class().dispatch_request(id="3")
            assert answer == ("", {"Handler": handler})
