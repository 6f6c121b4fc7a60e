"""Clients that prefer HTML get Flask's own pages."""

from __future__ import annotations

import pytest
from flask import abort
from werkzeug.exceptions import Unauthorized

from flask_routehandlers import RouteHandlers
from tests.problem_details.support import BASIC, HTML, PAGE, PROBLEM, raiser
from tests.support import bare_app, write_files

CHROME = (
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,"
    "*/*;q=0.8,application/signed-exchange;v=b3;q=0.7"
)
FIREFOX = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
OLD_FIREFOX = "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8"

#: The media type of the answer for each ``Accept`` header.
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
    "text/html": PAGE,
    "TEXT/HTML": PAGE,
    "text/*": PAGE,
    "text/html;q=0.1": PAGE,
    "text/html, application/json;q=0.9": PAGE,
    "application/json;q=0.5, text/html;q=0.6": PAGE,
    "application/problem+json;q=0, text/html": PAGE,
    "application/json;q=0, application/problem+json;q=0, */*": PAGE,
    "text/html, */*;q=0.9": PAGE,
    CHROME: PAGE,
    FIREFOX: PAGE,
    OLD_FIREFOX: PAGE,
}


@pytest.fixture(scope="module")
def missing_things(tmp_path_factory):
    """Return a client of an app whose ``/api/things`` is always 404."""
    code = "from flask import abort\ndef GET(): abort(404)\n"
    folder = tmp_path_factory.mktemp("negotiation")
    app = bare_app(write_files(folder, {"app/api/things/route.py": code}))
    RouteHandlers(app)
    return app.test_client()


@pytest.mark.parametrize(("accept", "content_type"), ACCEPTED.items(), ids=map(repr, ACCEPTED))
def test_a_client_may_prefer_html(missing_things, accept, content_type):
    for url in ("/api/things", "/api/nothing"):
        headers = {} if accept is None else {"Accept": accept}
        response = missing_things.get(url, headers=headers)
        assert response.status_code == 404
        assert response.content_type == content_type
        assert response.headers.getlist("Vary") == ["Accept"]


def test_the_page_is_the_one_of_flask(failing_app):
    error = Unauthorized("<script>", www_authenticate=BASIC)
    response = failing_app(raiser(error)).test_client().get("/api/things", headers=HTML)
    assert response.text == error.get_body()
    assert "<script>" not in response.text
    assert response.headers["WWW-Authenticate"] == 'Basic realm="my shop"'


def test_vary_keeps_its_other_values(failing_app):
    app = failing_app(lambda: abort(404))

    @app.after_request
    def add(response):
        response.vary.add("Origin")
        return response

    response = app.test_client().get("/api/things")
    assert set(response.vary) == {"Accept", "Origin"}
