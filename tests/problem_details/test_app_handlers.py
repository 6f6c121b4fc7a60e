"""Error handlers of the app take precedence, and everything else stays as it was."""

from __future__ import annotations

import asyncio

import pytest
from flask import Blueprint, Flask, abort, make_response, redirect, request
from werkzeug.exceptions import HTTPException, InternalServerError, NotFound

from flask_routehandlers import RouteHandlers
from tests.problem_details.support import (
    PAGE,
    ShopError,
    SoldOutError,
    Teapot,
    Unknown,
    outcome,
    own_answer,
    problem,
    raiser,
)
from tests.support import bare_app

OWN = {
    "a code": (404, lambda: abort(404)),
    "its class": (NotFound, lambda: abort(404)),
    "a subclass of the app": (Teapot, raiser(Teapot())),
    "a code that only the app knows": (Unknown, raiser(Unknown())),
    "HTTPException": (HTTPException, lambda: abort(404)),
    "Exception": (Exception, lambda: abort(404)),
    "a base class that is not an HTTP error": (ShopError, raiser(SoldOutError())),
    "KeyError": (KeyError, lambda: request.args["missing"]),
    "500 for an unexpected error": (500, lambda: 1 // 0),
    "InternalServerError": (InternalServerError, lambda: 1 // 0),
    "HTTPException for an unexpected error": (HTTPException, lambda: 1 // 0),
    "Exception for an unexpected error": (Exception, lambda: 1 // 0),
    "ZeroDivisionError": (ZeroDivisionError, lambda: 1 // 0),
    "500 for abort(500)": (500, lambda: abort(500)),
}


async def own_answer_later(error):
    """Answer as an async error handler of an app."""
    await asyncio.sleep(0)
    return own_answer(error)


def assert_own_answers(app: Flask, key: object) -> None:
    """Check that the handler of the app answers."""
    client = app.test_client()
    response = client.get("/api/things")
    assert response.status_code == 444
    assert response.text.startswith("own ")
    assert "Vary" not in response.headers
    if key in (404, NotFound, HTTPException, Exception):
        assert client.get("/api/nothing").text == "own NotFound"


@pytest.mark.parametrize(("key", "fail"), OWN.values(), ids=OWN)
def test_an_earlier_handler_of_the_app_wins(failing_app, key, fail):
    app = failing_app(fail, before=lambda app: app.register_error_handler(key, own_answer))
    assert_own_answers(app, key)


@pytest.mark.parametrize(("key", "fail"), OWN.values(), ids=OWN)
def test_a_later_async_handler_of_the_app_wins(failing_app, key, fail):
    app = failing_app(fail)
    app.register_error_handler(key, own_answer_later)
    assert_own_answers(app, key)


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_app_handler_of_a_blueprint_wins(failing_app, when):
    def register(app: Flask) -> None:
        blueprint = Blueprint("errors", __name__)
        blueprint.app_errorhandler(404)(own_answer)
        app.register_blueprint(blueprint)

    if when == "before":
        app = failing_app(lambda: abort(404), before=register)
    else:
        app = failing_app(lambda: abort(404))
        register(app)
    assert_own_answers(app, 404)


@pytest.mark.parametrize("key", [404, NotFound, HTTPException, Exception, ShopError])
def test_a_blueprint_handler_is_for_its_views(failing_app, key):
    app = failing_app(lambda: abort(404))
    blueprint = Blueprint("shop", __name__, url_prefix="/api/shop")
    blueprint.register_error_handler(key, own_answer)
    error = SoldOutError() if key is ShopError else NotFound()
    blueprint.add_url_rule("/", view_func=raiser(error), endpoint="index")
    app.register_blueprint(blueprint)
    client = app.test_client()
    assert client.get("/api/shop/").text == f"own {type(error).__name__}"
    assert problem(client.get("/api/things"))["status"] == 404
    assert problem(client.get("/api/shop/nothing"))["status"] == 404


def test_the_most_specific_handler_answers(failing_app):
    app = failing_app(raiser(SoldOutError()))
    app.register_error_handler(Exception, lambda error: "for all")
    client = app.test_client()
    assert client.get("/api/things").text == "for all"
    app = failing_app(raiser(SoldOutError()))
    app.register_error_handler(Exception, lambda error: "for all")
    app.register_error_handler(ShopError, lambda error: "for the shop")
    assert app.test_client().get("/api/things").text == "for the shop"


def test_a_handler_may_return_the_error_itself(failing_app):
    app = failing_app(lambda: abort(404))
    app.register_error_handler(Exception, lambda error: error)
    assert app.test_client().get("/api/things").content_type == PAGE


def test_a_handler_for_500_gets_what_was_raised(failing_app):
    app = failing_app(raiser(ValueError("from deep below")))
    app.register_error_handler(500, lambda error: repr(error.original_exception))
    assert app.test_client().get("/api/things").text == "ValueError('from deep below')"


# Everything else is as it was.


class Moved(HTTPException):
    code = 302


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


READY = {
    "abort(Response)": lambda: abort(make_response("ready", 403, {"X-Own": "1"})),
    "an error with a response": lambda: abort(404, response=make_response("ready", 404)),
    "abort(redirect())": lambda: abort(redirect("/elsewhere")),
    "an error below 400": raiser(Moved("over there")),
    "an error without a code": raiser(HTTPException("no code")),
    "an own body": raiser(OwnBody()),
    "an own response": raiser(OwnResponse()),
    "a returned 404": lambda: ("none", 404),
}


@pytest.mark.parametrize("fail", READY.values(), ids=READY)
def test_a_ready_answer_is_left_alone(failing_app, fail):
    app = failing_app(fail)
    plain = Flask(__name__)
    plain.add_url_rule("/api/things", view_func=fail, endpoint="things")
    assert outcome(app, "/api/things") == outcome(plain, "/api/things")


def test_a_returned_error_counts_as_raised(failing_app):
    app = failing_app(lambda: NotFound("returned"))
    assert problem(app.test_client().get("/api/things"))["detail"] == "returned"


OTHER_URLS = (
    "GET /nothing", "GET /apix", "GET /apix/things", "GET /API/things", "POST /own/fine",
    "GET /own/404", "GET /own/dict", "GET /own/teapot", "GET /own/key", "GET /own/ready",
    "GET /own/crash", "GET /own/slash", "GET /own/static/nothing.css", "HEAD /nothing",
    "POST /api/own", "GET /api/own/404", "GET /api/own/slash", "OPTIONS /nothing",
)  # fmt: skip


def add_views(app: Flask) -> None:
    """Add views of the app, in the prefix of the tree and outside of it."""
    errors = {
        "fine": lambda: "fine",
        "404": lambda: abort(404),
        "dict": lambda: abort(422, {"detail": "a dict"}),
        "teapot": raiser(Teapot()),
        "key": lambda: request.args["missing"],
        "ready": READY["abort(Response)"],
        "crash": lambda: 1 // 0,
        "slash/": lambda: "with a slash",
    }
    for name, fail in errors.items():
        app.add_url_rule(f"/own/{name}", f"own {name}", fail)
        app.add_url_rule(f"/api/own/{name}", f"below {name}", fail)
    app.add_url_rule("/api/own", "own", lambda: "own")


@pytest.mark.parametrize(
    ("accept", "config"),
    [
        ("*/*", {}),
        ("text/html", {}),
        ("application/json", {}),
        ("*/*", {"DEBUG": True}),
        ("*/*", {"TESTING": True}),
        ("*/*", {"TRAP_HTTP_EXCEPTIONS": True}),
        ("*/*", {"TRAP_HTTP_EXCEPTIONS": True, "TESTING": True}),
        ("*/*", {"TRAP_BAD_REQUEST_ERRORS": True}),
        ("*/*", {"TRAP_BAD_REQUEST_ERRORS": True, "DEBUG": True}),
        ("*/*", {"TRAP_BAD_REQUEST_ERRORS": False, "DEBUG": True}),
        ("*/*", {"PROPAGATE_EXCEPTIONS": True}),
    ],
    ids=str,
)
def test_other_urls_are_answered_as_before(tree, accept, config):
    with_tree = bare_app(tree({}, "things"))
    without = Flask(with_tree.import_name, root_path=with_tree.root_path, static_folder=None)
    for app in (with_tree, without):
        app.config.update(config)
        add_views(app)
    RouteHandlers(with_tree)
    for method, url in map(str.split, OTHER_URLS):
        expected = outcome(without, url, method, accept)
        assert outcome(with_tree, url, method, accept) == expected, (method, url)


def test_problem_details_can_be_turned_off(make_app):
    app = make_app({}, "things", problem_details=False)
    assert not any(app.error_handler_spec[None].values())
