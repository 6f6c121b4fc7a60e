"""The path chooses the file, then the method chooses the handler."""

from __future__ import annotations

import pytest

LISTED = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY")
OTHERS = ("TRACE", "CONNECT", "PROPFIND", "MKCOL", "LOCK", "PURGE", "MADEUP", "GETT", "G")


def test_a_route_file_answers_its_url(make_app):
    app = make_app({}, "users/[id]")
    assert app.test_client().get("/api/users/3").json == {
        "rule": "/api/users/<id>",
        "params": {"id": "3"},
    }


@pytest.mark.parametrize("method", [*LISTED, *OTHERS])
@pytest.mark.parametrize(
    ("handled", "allow"),
    [
        (("GET",), "GET, HEAD, OPTIONS"),
        (("POST",), "OPTIONS, POST"),
        (("PUT", "POST", "GET"), "GET, HEAD, OPTIONS, POST, PUT"),
        (("HEAD",), "HEAD, OPTIONS"),
        (("QUERY", "PATCH", "DELETE"), "DELETE, OPTIONS, PATCH, QUERY"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else "",
)
def test_other_methods_are_405_with_allow(make_client, method, handled, allow):
    code = "".join(f"def {name}(): return ''\n" for name in handled)
    response = make_client(code).open("/api/x", method=method)
    automatic = {"OPTIONS": 204}
    if "GET" in handled:
        automatic["HEAD"] = 200
    expected = 200 if method in handled else automatic.get(method, 405)
    assert response.status_code == expected
    if expected == 405 or method == "OPTIONS":
        assert response.headers.getlist("Allow") == [allow]


def test_get_answers_head_without_its_body(make_client):
    client = make_client("def GET(request): return 'body', {'X-Method': request.method}")
    response = client.head("/api/x")
    assert (response.status_code, response.data) == (200, b"")
    assert response.headers["Content-Length"] == "4"
    assert response.headers["X-Method"] == "HEAD"


def test_a_file_can_define_head(make_client):
    client = make_client("def GET(): 1 / 0\ndef HEAD(): return '', {'X-Own': 'yes'}")
    response = client.head("/api/x")
    assert (response.status_code, response.headers["X-Own"]) == (200, "yes")


def test_options_is_answered_without_a_body(make_client):
    response = make_client("def POST(): return ''").options("/api/x")
    assert (response.status_code, response.data) == (204, b"")
    assert response.headers["Allow"] == "OPTIONS, POST"
    assert "Content-Type" not in response.headers


def test_a_file_can_define_options(make_client):
    client = make_client("def OPTIONS(request): return 'own', 200, {'Allow': 'ALL'}")
    response = client.options("/api/x")
    assert (response.status_code, response.text, response.headers["Allow"]) == (200, "own", "ALL")


def test_the_most_specific_file_owns_the_url(make_client):
    client = make_client(
        {
            "users/me/route.py": "def GET(): return 'me'",
            "users/[id]/route.py": "def DELETE(id): return f'deleted {id}'",
            "users/[...path]/route.py": "def PUT(path): return '/'.join(path)",
        }
    )
    assert client.get("/api/users/me").text == "me"
    assert client.delete("/api/users/you").text == "deleted you"
    assert client.put("/api/users/a/b").text == "a/b"
    for method, path, allow in [
        ("DELETE", "/api/users/me", "GET, HEAD, OPTIONS"),
        ("PUT", "/api/users/me", "GET, HEAD, OPTIONS"),
        ("MADEUP", "/api/users/me", "GET, HEAD, OPTIONS"),
        ("GET", "/api/users/you", "DELETE, OPTIONS"),
        ("PUT", "/api/users/you", "DELETE, OPTIONS"),
        ("DELETE", "/api/users/a/b", "OPTIONS, PUT"),
    ]:
        response = client.open(path, method=method)
        assert (response.status_code, response.headers["Allow"]) == (405, allow)
        assert client.options(path).headers["Allow"] == allow


def test_query_is_a_method_with_a_body(make_client):
    client = make_client("def QUERY(request): return {'sent': request.json, 'by': request.method}")
    response = client.open("/api/x", method="QUERY", json={"name": "ann"})
    assert response.json == {"sent": {"name": "ann"}, "by": "QUERY"}


def test_nothing_overrides_the_method(make_client):
    client = make_client("def POST(): return 'posted'\ndef DELETE(): return 'deleted'")
    response = client.post(
        "/api/x?_method=DELETE",
        data={"_method": "DELETE"},
        headers={"X-HTTP-Method-Override": "DELETE", "X-HTTP-Method": "DELETE"},
    )
    assert response.text == "posted"


def test_an_unknown_url_is_404_for_every_method(make_client):
    client = make_client("def GET(): return ''")
    for method in (*LISTED, *OTHERS):
        assert client.open("/api/y", method=method).status_code == 404
