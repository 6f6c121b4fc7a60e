"""The RealWorld API in tests/samples/conduit, through the test client."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.projects import load

pytest.importorskip("pydantic")
pytest.importorskip("sqlalchemy")

SAMPLE = Path(__file__).parent / "samples/conduit"

ARTICLE = {"title": "On Tea", "description": "Short", "body": "Long", "tagList": ["tea", "hot"]}


@pytest.fixture(scope="module")
def client(tmp_path_factory) -> Iterator[FlaskClient]:
    """A client of the app, whose database is new."""
    database = tmp_path_factory.mktemp("conduit") / "conduit.db"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABASE_URL", f"sqlite:///{database}")
        patch.syspath_prepend(SAMPLE)
        for name in modules_of_app():
            patch.delitem(sys.modules, name)
        module = load(SAMPLE / "wsgi.py")
        module.app.testing = True
        yield module.app.test_client()
        module.engine.dispose()
        for name in modules_of_app():
            del sys.modules[name]


def modules_of_app() -> list[str]:
    return [name for name in sys.modules if name.split(".")[0] == "app"]


class User:
    """A registered user.

    :param name: a name that no other user has.
    """

    def __init__(self, client: FlaskClient, name: str) -> None:
        self._client = client
        self._headers: dict[str, str] = {}
        new = {"username": name, "email": f"{name}@example.com", "password": "secret"}
        account = self.ask("POST", "/users", user=new).json["user"]
        self._headers = {"Authorization": f"Token {account['token']}"}

    def ask(self, method: str, path: str, **document: Any) -> TestResponse:
        body = {"json": document} if document else {}
        return self._client.open(f"/api{path}", method=method, headers=self._headers, **body)

    def publish(self, **changes: Any) -> str:
        """Publish an article; return its slug."""
        answer = self.ask("POST", "/articles", article=ARTICLE | changes)
        assert answer.status_code == 201
        return answer.json["article"]["slug"]


@pytest.fixture(scope="module")
def ada(client) -> User:
    return User(client, "ada")


@pytest.fixture(scope="module")
def bob(client) -> User:
    return User(client, "bob")


def test_a_user_logs_in_and_changes(client, ada):
    login = {"email": "ada@example.com", "password": "secret"}
    account = client.post("/api/users/login", json={"user": login}).json["user"]
    assert (account["username"], account["bio"]) == ("ada", "")
    assert ada.ask("PUT", "/user", user={"bio": "Counts"}).json["user"]["bio"] == "Counts"
    assert ada.ask("GET", "/user").json["user"]["bio"] == "Counts"


def test_a_wrong_password_is_refused(client, ada):
    login = {"email": "ada@example.com", "password": "other"}
    answer = client.post("/api/users/login", json={"user": login})
    assert answer.status_code == 401
    assert answer.json == {"errors": {"body": ["The email address or the password is wrong."]}}


def test_a_name_can_be_taken_only_once(client, ada):
    new = {"username": "ada", "email": "other@example.com", "password": "secret"}
    answer = client.post("/api/users", json={"user": new})
    assert answer.status_code == 422
    assert answer.json == {"errors": {"body": ["The username or the email address is taken."]}}


def test_an_article_is_written_and_read(client, ada):
    slug = ada.publish()
    article = client.get(f"/api/articles/{slug}").json["article"]
    assert {name: article[name] for name in ARTICLE} == ARTICLE | {"tagList": ["hot", "tea"]}
    assert article["author"]["username"] == "ada"
    assert (article["favorited"], article["favoritesCount"]) == (False, 0)
    changed = ada.ask("PUT", f"/articles/{slug}", article={"body": "Longer"}).json["article"]
    assert (changed["body"], changed["title"]) == ("Longer", "On Tea")
    assert ada.ask("DELETE", f"/articles/{slug}").status_code == 204
    assert client.get(f"/api/articles/{slug}").status_code == 404


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_only_the_author_changes_an_article(client, ada, bob, method):
    slug = ada.publish()
    document = {"article": {"body": "x"}} if method == "PUT" else {}
    assert bob.ask(method, f"/articles/{slug}", **document).status_code == 403
    assert bob.ask(method, "/articles/nothing", **document).status_code == 404
    body = {"json": document} if document else {}
    assert client.open(f"/api/articles/{slug}", method=method, **body).status_code == 401


def test_lists_are_filtered_and_paged(client, ada, bob):
    slugs = [ada.publish(tagList=["paged"]) for _ in range(3)]
    bob.ask("POST", f"/articles/{slugs[0]}/favorite")
    first = client.get("/api/articles?tag=paged&author=ada&limit=2").json
    assert first["articlesCount"] == 3
    assert [article["slug"] for article in first["articles"]] == [slugs[2], slugs[1]]
    rest = client.get("/api/articles?tag=paged&limit=2&offset=2").json
    assert [article["slug"] for article in rest["articles"]] == [slugs[0]]
    favorites = client.get("/api/articles?favorited=bob&tag=paged").json
    assert [article["favoritesCount"] for article in favorites["articles"]] == [1]
    assert "paged" in client.get("/api/tags").json["tags"]
    assert client.get("/api/articles?limit=0").status_code == 422


def test_the_feed_has_followed_authors(client):
    reader, author = User(client, "reader"), User(client, "author")
    slug = author.publish()
    assert reader.ask("GET", "/articles/feed").json["articles"] == []
    profile = reader.ask("POST", "/profiles/author/follow").json["profile"]
    assert profile["following"] is True
    [article] = reader.ask("GET", "/articles/feed").json["articles"]
    assert article["slug"] == slug
    assert reader.ask("DELETE", "/profiles/author/follow").json["profile"]["following"] is False


def test_a_comment_belongs_to_its_author(client, ada, bob):
    path = f"/articles/{ada.publish()}/comments"
    comment = bob.ask("POST", path, comment={"body": "Good"}).json["comment"]
    assert [each["body"] for each in client.get(f"/api{path}").json["comments"]] == ["Good"]
    assert ada.ask("DELETE", f"{path}/{comment['id']}").status_code == 403
    assert bob.ask("DELETE", f"{path}/{comment['id']}").status_code == 204
    assert bob.ask("DELETE", f"{path}/{comment['id']}").status_code == 404


def test_an_invalid_body_names_its_fields(client):
    answer = client.post("/api/users", json={"user": {"username": "x"}})
    assert answer.status_code == 422
    assert answer.json["errors"]["body"] == [
        "#/user/email: Field required",
        "#/user/password: Field required",
    ]


def test_the_document_has_every_operation(client):
    document = client.get("/api/openapi.json").json
    operations = {
        (method, path)
        for path, item in document["paths"].items()
        for method in item
        if method != "parameters"
    }
    assert ("delete", "/api/articles/{slug}/comments/{id}") in operations
    assert len(operations - {("get", "/api/openapi.json")}) == 19
    assert document["components"]["securitySchemes"]
