"""Unexpected errors, debug mode, errors that Flask traps, and errors in streams."""

from __future__ import annotations

import pytest
from flask import Flask, abort, request
from werkzeug.exceptions import (
    BadRequestKeyError,
    HTTPException,
    InternalServerError,
    NotFound,
    TooManyRequests,
)
from werkzeug.test import create_environ, run_wsgi_app

from tests.problem_details.support import CANARY, HTML, outcome, problem, raiser

DEBUG_OR_TESTING = pytest.mark.parametrize("config", [{"DEBUG": True}, {"TESTING": True}], ids=str)


@pytest.mark.parametrize("accept", ["*/*", "text/html"])
@pytest.mark.parametrize("method", ["GET", "POST"], ids=["def", "async def"])
def test_an_unexpected_error_stays_hidden(failing_app, method, accept):
    def fail():
        try:
            raise KeyError(CANARY)
        except KeyError as error:
            error.add_note(CANARY)
            raise type(CANARY, (ValueError,), {})(CANARY) from error

    client = failing_app(fail).test_client()
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


@DEBUG_OR_TESTING
def test_unexpected_errors_reach_the_debugger(failing_app, config):
    app = failing_app(raiser(ValueError(CANARY)))
    app.config.update(config)
    with pytest.raises(ValueError, match=CANARY):
        app.test_client().get("/api/things")


@DEBUG_OR_TESTING
def test_http_errors_are_problems_in_debug_mode(failing_app, config):
    app = failing_app(lambda: abort(404))
    app.config.update(config)
    assert problem(app.test_client().get("/api/things"))["status"] == 404
    assert problem(app.test_client().get("/api/nothing"))["status"] == 404


@pytest.mark.parametrize("error", [NotFound(), InternalServerError()], ids=["404", "500"])
def test_trapped_errors_reach_the_debugger(failing_app, error):
    app = failing_app(raiser(error))
    app.config.update(TRAP_HTTP_EXCEPTIONS=True, DEBUG=True)
    with pytest.raises(HTTPException) as caught:
        app.test_client().get("/api/things")
    assert caught.value is error
    assert caught.traceback[-1].name == "fail"


def test_trapped_errors_are_500_outside_debug(failing_app):
    app = failing_app(lambda: abort(404, CANARY))
    app.config["TRAP_HTTP_EXCEPTIONS"] = True
    response = app.test_client().get("/api/things")
    assert problem(response)["detail"] == InternalServerError.description
    assert CANARY not in response.text


def test_a_missing_key_is_named_in_debug_mode(failing_app):
    app = failing_app(lambda: request.args[CANARY])
    response = app.test_client().get("/api/things")
    assert problem(response)["detail"] == BadRequestKeyError().description
    assert CANARY not in response.text
    app.debug = True
    with pytest.raises(BadRequestKeyError):
        app.test_client().get("/api/things")
    app.config["TRAP_BAD_REQUEST_ERRORS"] = False
    assert CANARY in problem(app.test_client().get("/api/things"))["detail"]
    assert app.test_client().get("/api/things", headers=HTML).text.count(CANARY) == 1


def test_an_error_in_a_stream_adds_nothing(failing_app):
    def fail():
        yield "first"
        abort(404, "too late")

    app = failing_app(lambda: fail())
    body, status, _ = run_wsgi_app(app, create_environ("/api/things"))
    chunks = iter(body)
    assert (next(chunks), status) == (b"first", "200 OK")
    with pytest.raises(NotFound):
        next(chunks)
    body.close()


def test_a_tree_without_them_answers_as_flask(failing_app):
    app = failing_app(raiser(TooManyRequests(retry_after=5)), problem_details=False)
    plain = Flask(__name__)
    plain.add_url_rule("/api/things", "things", app.config["FAIL"])
    for url in ("/api/things", "/api/nothing"):
        assert outcome(app, url) == outcome(plain, url)
