from importlib import import_module


def test_a_handler_uses_what_is_put_in_place(app, client, monkeypatch):
    monkeypatch.setattr("app.posts.id.route.POSTS", {7: {"id": 7, "title": "Seven"}})
    assert client.get("/posts/7").json["title"] == "Seven"
    assert import_module("app.posts.[id=int].route").POSTS.keys() == {7}
