from importlib import import_module

import pytest
from app.posts.route import GET, POST
from flask import Response, request
from werkzeug.exceptions import Forbidden, NotFound

post = import_module("app.posts.[id=int].route")
admin = import_module("app.(admin).middleware")


def test_a_handler_is_a_function():
    assert GET() == [{"id": 1, "title": "One"}]
    assert post.GET(id=1) == {"id": 1, "title": "One"}


def test_abort_raises():
    with pytest.raises(NotFound):
        post.GET(id=2)


def test_a_handler_with_a_request(app):
    with app.test_request_context("/posts", method="POST", json={"title": "Two"}):
        assert POST(request) == ({"title": "Two"}, 201)


def test_a_middleware_by_itself(app):
    below = Response("below")
    with app.test_request_context("/stats", headers={"X-Key": "open sesame"}):
        assert admin.middleware(request, call_next=lambda: below) is below
    with app.test_request_context("/stats"), pytest.raises(Forbidden):
        admin.middleware(request, call_next=lambda: below)


def test_a_handler_in_a_folder_with_a_dot(app):
    assert import_module("app.sitemap_xml.route").GET() == "<urlset/>"
    files = import_module("app.files.[___path].route")
    assert list(files.GET(path=["a", "b"])) == ["a\n", "b\n"]


def test_an_async_handler(app):
    stats = import_module("app.(admin).stats.route")
    assert app.ensure_sync(stats.GET)() == {"visits": 3}


def test_a_handler_through_its_chain(app):
    with app.test_request_context("/posts/1"):
        response = app.make_response(app.dispatch_request())
    assert response.json == {"id": 1, "title": "One"}
    assert response.headers["X-Method"] == "GET"
