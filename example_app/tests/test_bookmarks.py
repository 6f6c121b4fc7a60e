"""Create, read, update, delete, list, search, tags, sites, export."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime

import pytest


def titles(response):
    assert response.status_code == 200, response.text
    return [bookmark["title"] for bookmark in response.json["bookmarks"]]


@pytest.fixture
def few(add):
    """Three bookmarks, so the newest, C, comes first."""
    add("https://docs.python.org/3/library/json.html", title="A", tags=["python", "json"])
    add("https://docs.python.org/2/", title="B", notes="Bücher 📚", tags=["python"])
    add("https://flask.palletsprojects.com/k%C3%B6ln", title="C", tags=["flask", "c++"])


class TestCreate:
    def test_returns_the_bookmark_and_its_location(self, client):
        response = client.post(
            "/api/bookmarks",
            json={
                "url": "https://example.com/a",
                "title": "  An\nexample ",
                "notes": "two\nlines",
                "tags": ["Web", "web", "C++"],
            },
        )
        assert response.status_code == 201
        assert response.headers["Location"] == "/api/bookmarks/1"
        bookmark = response.json
        assert bookmark == client.get("/api/bookmarks/1").json
        age = datetime.now(UTC) - datetime.fromisoformat(bookmark.pop("created"))
        assert 0 <= age.total_seconds() < 60
        bookmark.pop("updated")
        assert bookmark == {
            "id": 1,
            "url": "https://example.com/a",
            "title": "An example",
            "notes": "two\nlines",
            "tags": ["c++", "web"],
        }

    def test_needs_no_more_than_a_url(self, add):
        bookmark = add("https://example.com/a")
        assert bookmark["title"] == "https://example.com/a"
        assert (bookmark["notes"], bookmark["tags"]) == ("", [])

    @pytest.mark.parametrize(
        ("url", "stored"),
        [
            ("HTTPS://Example.COM", "https://example.com/"),
            (" https://example.com/a ", "https://example.com/a"),
            ("https://köln.example/dom", "https://xn--kln-sna.example/dom"),
            ("https://example.com/köln", "https://example.com/k%C3%B6ln"),
            ("http://[::1]:8080/x?y=1#z", "http://[::1]:8080/x?y=1#z"),
        ],
    )
    def test_stores_one_spelling_of_a_url(self, add, url, stored):
        assert add(url)["url"] == stored

    def test_refuses_a_url_that_is_there(self, client, add):
        add("https://example.com")
        response = client.post("/api/bookmarks", json={"url": "HTTPS://example.com/"})
        assert response.status_code == 409
        assert response.json["detail"] == "A bookmark for https://example.com/ already exists."

    @pytest.mark.parametrize(
        ("fields", "errors"),
        [
            ({"url": None}, {"#/url": "Input should be a valid string"}),
            (
                {"url": 5, "title": ""},
                {"#/url": "Input should be a valid string", "#/title": "must not be empty"},
            ),
            *[
                ({"url": url}, {"#/url": "must be an http or https URL"})
                for url in (
                    "",
                    "example.com",
                    "javascript:alert(1)",
                    "javascript://a/%0aalert(1)",
                    "http://",
                    "http://a b/",
                    "http://a/\nb",
                    "http://[",
                    "http://a:99999/",
                    "http://a..b/",
                )
            ],
            (
                {"url": "http://a/" + "x" * 2000},
                {"#/url": "String should have at most 2000 characters"},
            ),
            ({"title": " \n "}, {"#/title": "must not be empty"}),
            ({"title": "\0"}, {"#/title": "must not have control characters"}),
            ({"title": "\uffff"}, {"#/title": "must not have control characters"}),
            ({"title": "x" * 301}, {"#/title": "String should have at most 300 characters"}),
            ({"notes": []}, {"#/notes": "Input should be a valid string"}),
            ({"notes": "x" * 10_001}, {"#/notes": "String should have at most 10000 characters"}),
            ({"tags": "web"}, {"#/tags": "Input should be a valid array"}),
            (
                {"tags": [f"t{n}" for n in range(21)]},
                {"#/tags": "List should have at most 20 items after validation, not 21"},
            ),
            *[
                ({"tags": [tag]}, {"#/tags/0": "Input should be a valid string"})
                for tag in (3, None)
            ],
            *[
                (
                    {"tags": [tag]},
                    {"#/tags/0": "a tag is a word of letters, digits and . + # - _, at most 40"},
                )
                for tag in ("", "two words", "a/b", "..", "\uff0e", "\0", "x" * 41)
            ],
            ({"tag": []}, {"#/tag": "Extra inputs are not permitted"}),
        ],
    )
    def test_names_every_wrong_field(self, client, fields, errors):
        response = client.post("/api/bookmarks", json={"url": "https://example.com"} | fields)
        assert response.status_code == 422
        found = {error["pointer"]: error["detail"] for error in response.json["errors"]}
        assert found == errors

    @pytest.mark.parametrize("fields", [{"title": "\ud800"}, {"\ud800": 1}])
    def test_half_a_character_is_not_json(self, client, fields):
        response = client.post("/api/bookmarks", json={"url": "https://example.com"} | fields)
        assert response.status_code == 400


def test_a_change_sets_only_its_own_fields(client, add):
    before = add("https://example.com/a", title="A", notes="n", tags=["x", "y"])
    after = client.patch("/api/bookmarks/1", json={"title": "B", "tags": ["z"]}).json
    assert after == before | {"title": "B", "tags": ["z"], "updated": after["updated"]}
    assert client.get("/api/bookmarks/1").json == after
    assert client.get("/api/tags").json == {"tags": {"z": 1}}


def test_a_change_to_a_known_url_is_refused(client, add):
    add("https://example.com/a")
    second = add("https://example.com/b", tags=["x"])
    change = {"url": "https://example.com/a", "tags": ["y"]}
    assert client.patch("/api/bookmarks/2", json=change).status_code == 409
    assert client.get("/api/bookmarks/2").json == second


def test_a_deleted_bookmark_is_gone_with_its_tags(client, add):
    add("https://example.com/a", tags=["x"])
    response = client.delete("/api/bookmarks/1")
    assert (response.status_code, response.data) == (204, b"")
    assert client.get("/api/bookmarks/1").status_code == 404
    assert client.get("/api/tags").json == {"tags": {}}


def test_an_id_is_never_used_again(client, add):
    add("https://example.com/a")
    client.delete("/api/bookmarks/1")
    assert add("https://example.com/a")["id"] == 2


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
@pytest.mark.parametrize("number", [0, 7, 2**63 - 1, 2**63, 10**4000])
def test_an_unknown_id_is_not_found(client, add, method, number):
    add("https://example.com/a")
    response = client.open(f"/api/bookmarks/{number}", method=method, json={"title": "x"})
    assert (response.status_code, response.json["detail"]) == (404, "There is no such bookmark.")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "CBA"),
        ("?tag=python", "BA"),
        ("?tag=Python&tag=json", "A"),
        ("?tag=c%2B%2B", "C"),
        ("?tag=%00", ""),
        ("?limit=2", "CB"),
        ("?limit=2&before=2", "A"),
        ("?before=9223372036854775807", "CBA"),
        ("?q=BÜCHER", "B"),
        ("?q=📚", "B"),
        ("?q=docs+json", "A"),
        ("?q=%25", "C"),
    ],
)
def test_the_list_is_filtered_by_the_query(client, few, query, expected):
    assert "".join(titles(client.get(f"/api/bookmarks{query}"))) == expected


def test_pages_follow_each_other_to_the_end(client, add):
    for number in range(5):
        add(f"https://example.com/{number}", title=str(number), tags=["even"][number % 2 :])
    url, pages = "/api/bookmarks?tag=even&limit=2&_external=1&endpoint=x", []
    while url:
        response = client.get(url)
        pages.append(titles(response))
        url = response.json["next"]
    assert pages == [["4", "2"], ["0"]]


@pytest.mark.parametrize("name", ["limit", "before"])
@pytest.mark.parametrize("value", ["", "0", "-1", "x", "1.5", "٣", "9" * 19, "9" * 5000])
def test_a_wrong_number_in_a_query_is_refused(client, name, value):
    response = client.get("/api/bookmarks", query_string={name: value})
    assert response.status_code == 422
    assert [error["pointer"] for error in response.json["errors"]] == [f"#/{name}"]


def test_a_search_finds_bookmarks_with_every_word(client, few):
    assert titles(client.get("/api/search?q=PYTHON.org+a")) == ["A"]
    assert titles(client.get("/api/search?q=python.org&limit=1")) == ["B"]


@pytest.mark.parametrize("query", ["", "?q=+", "?q=" + "x" * 201])
def test_a_search_needs_words(client, query):
    response = client.get(f"/api/search{query}")
    assert response.status_code == 422
    assert [error["pointer"] for error in response.json["errors"]] == ["#/q"]


def test_tags_are_counted(client, few):
    assert client.get("/api/tags").json == {"tags": {"c++": 1, "flask": 1, "json": 1, "python": 2}}


def test_a_tag_leads_to_its_bookmarks(client, few):
    tag = client.get("/api/tags/C++").json
    assert tag == {"name": "c++", "count": 1, "bookmarks": "/api/bookmarks?tag=c%2B%2B"}
    assert titles(client.get(tag["bookmarks"])) == ["C"]


@pytest.mark.parametrize(
    ("written", "tag"),
    [
        ("\uff37\uff25\uff22", "web"),
        ("Stra\u00dfe", "strasse"),
        ("e\u0301", "\u00e9"),
        # Folding decomposes this letter into three code points, two of them accents.
        ("\u0390", "\u0390"),
    ],
)
def test_a_tag_has_one_spelling(client, add, written, tag):
    assert add("https://example.com/a", tags=[written])["tags"] == [tag]
    assert client.get(f"/api/tags/{written}").json["name"] == tag
    assert len(titles(client.get("/api/bookmarks", query_string={"tag": written}))) == 1


def test_a_tag_is_renamed_and_joins_another(client, few):
    assert client.patch("/api/tags/json", json={"name": "Python"}).json["count"] == 2
    assert client.get("/api/tags").json == {"tags": {"c++": 1, "flask": 1, "python": 2}}
    assert client.get("/api/bookmarks/1").json["tags"] == ["python"]


@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_an_unknown_tag_is_not_found(client, method):
    response = client.open("/api/tags/x", method=method, json={"name": "y"})
    assert (response.status_code, response.json["detail"]) == (404, "No bookmark has this tag.")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [({}, "#/name"), ({"name": "a b"}, "#/name"), ({"name": "a", "x": 1}, "#/x")],
)
def test_a_tag_gets_no_wrong_name(client, few, body, pointer):
    response = client.patch("/api/tags/json", json=body)
    assert response.status_code == 422
    assert [error["pointer"] for error in response.json["errors"]] == [pointer]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("docs.python.org", "BA"),
        ("DOCS.python.org/3", "A"),
        ("docs.python.org/3/library/json.html", "A"),
        ("docs.python.org/3/lib", ""),
        ("docs.python", ""),
        ("python.org", ""),
        ("flask.palletsprojects.com/köln", "C"),
    ],
)
def test_a_site_is_cut_at_slashes(client, few, path, expected):
    assert "".join(titles(client.get(f"/api/sites/{path}"))) == expected


def test_the_pages_of_a_site_follow_each_other(client, few):
    response = client.get("/api/sites/docs.python.org?limit=1")
    assert response.json["next"] == "/api/sites/docs.python.org?limit=1&before=2"
    assert titles(client.get(response.json["next"])) == ["A"]


def test_a_site_needs_a_name(client):
    assert client.get("/api/sites").status_code == 404


def test_a_year_is_exported_as_csv(client, add):
    add("https://example.com/a", title='Say "a", b', tags=["x", "y"])
    created = client.get("/api/bookmarks/1").json["created"]
    response = client.get(f"/api/bookmarks/export-{created[:4]}.csv")
    assert response.mimetype == "text/csv"
    assert list(csv.DictReader(io.StringIO(response.text, newline=""))) == [
        {
            "id": "1",
            "created": created,
            "url": "https://example.com/a",
            "title": 'Say "a", b',
            "notes": "",
            "tags": "x y",
        }
    ]


@pytest.mark.parametrize("year", ["1999", "202", "0", "9" * 4000])
def test_an_empty_year_is_an_empty_table(client, add, year):
    add("https://example.com/a")
    response = client.get(f"/api/bookmarks/export-{year}.csv")
    assert (response.status_code, response.text) == (200, "id,created,url,title,notes,tags\r\n")


@pytest.mark.parametrize(
    ("status", "request_"),
    [
        (400, {"data": "{", "content_type": "application/json"}),
        (400, {"data": "", "content_type": "application/json"}),
        (400, {"data": b'{"url": "\xff"}', "content_type": "application/json"}),
        (400, {"data": "[" * 60_000, "content_type": "application/json"}),
        (400, {"data": '{"url": ' + "1" * 5000 + "}", "content_type": "application/json"}),
        (413, {"data": " " * 70_000, "content_type": "application/json"}),
        (415, {"data": "{}", "content_type": "text/plain"}),
        (415, {"data": {"url": "https://example.com"}}),
        (422, {"json": []}),
        (422, {"data": "null", "content_type": "application/json"}),
        (422, {"json": "url"}),
    ],
)
@pytest.mark.parametrize(
    ("method", "url"),
    [("POST", "/api/bookmarks"), ("PATCH", "/api/bookmarks/1"), ("PATCH", "/api/tags/x")],
)
def test_a_body_must_be_a_json_object(client, add, method, url, status, request_):
    add("https://example.com/a", tags=["x"])
    response = client.open(url, method=method, **request_)
    assert response.status_code == status
    assert response.mimetype == "application/problem+json"
    assert response.json["status"] == status
    assert response.json["detail"]


@pytest.mark.parametrize(
    ("method", "url", "status", "allow"),
    [
        ("GET", "/api/nothing", 404, None),
        ("GET", "/api/bookmarks/", 404, None),
        ("GET", "/api/bookmarks/one", 404, None),
        ("PUT", "/api/bookmarks/1", 405, "DELETE, GET, HEAD, OPTIONS, PATCH"),
        ("POST", "/api/search", 405, "GET, HEAD, OPTIONS"),
    ],
)
def test_errors_of_the_routing_are_json_too(client, method, url, status, allow):
    response = client.open(url, method=method)
    assert response.status_code == status
    assert response.json["title"] == response.status.partition(" ")[2].title()
    assert response.headers.get("Allow") == allow
    assert response.json["instance"] == url


def test_a_browser_gets_an_error_as_a_page(client):
    response = client.get("/api/bookmarks/1", headers={"Accept": "text/html,*/*;q=0.8"})
    assert (response.status_code, response.mimetype) == (404, "text/html")
    assert "<p>There is no such bookmark.</p>" in response.text


def test_a_server_error_reveals_nothing(app, client):
    app.config.update(TESTING=False, DATABASE="/nowhere/bookmarks.sqlite")
    response = client.get("/api/bookmarks")
    assert (response.status_code, response.mimetype) == (500, "application/problem+json")
    assert response.json["title"] == "Internal Server Error"
    assert "unable to open" not in response.text
