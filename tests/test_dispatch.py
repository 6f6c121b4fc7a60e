from __future__ import annotations


def test_a_route_file_answers_the_url_of_its_folders(make_app):
    app = make_app({}, "users/[id]")
    assert app.test_client().get("/api/users/3").json == {
        "rule": "/api/users/<id>",
        "params": {"id": "3"},
    }
