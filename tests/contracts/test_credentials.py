"""Credentials: schemes of the header Authorization, API keys in headers and cookies."""

from __future__ import annotations

import pytest

ROUTE = """
Token = Annotated[str, Scheme("Token")]
Key = Annotated[str, Scheme(header="X-Key")]
Session = Annotated[str, Scheme(cookie="session")]
Basic = Annotated[Authorization, Scheme("Basic")]

def GET(token: Bearer): return [token]
def POST(token: Bearer | None = None): return [token]
def PUT(token: Token): return [token]
def PATCH(key: Key, session: Session): return [key, session]
def DELETE(login: Basic): return [login.username, login.password]
def OPTIONS(key: Key | None = None, session: Session | None = None): return [key, session]
def QUERY(token: Optional[Bearer] = None): return [token]
"""


@pytest.fixture
def client(serve):
    return serve(ROUTE)


def ask(client, method, authorization=None):
    headers = {} if authorization is None else {"Authorization": authorization}
    return client.open("/api/x", method=method, headers=headers)


def test_a_bearer_token_is_a_string(client):
    for header in ("Bearer abc.DEF-_~+/==", "bearer abc.DEF-_~+/==", "BEARER   abc.DEF-_~+/=="):
        assert ask(client, "GET", header).json == ["abc.DEF-_~+/=="]


@pytest.mark.parametrize("authorization", [None, "", "Basic dTpw", "Token abc", "Bear abc"])
def test_without_a_token_it_is_a_401_or_none(client, authorization):
    response = ask(client, "GET", authorization)
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert response.json["detail"] == (
        "The request lacks Bearer credentials in the header Authorization."
    )
    assert ask(client, "POST", authorization).json == [None]
    assert ask(client, "QUERY", authorization).json == [None]


@pytest.mark.parametrize(
    "authorization", ["Bearer", "Bearer ", "Bearer a b", "Bearer \u00e4", "Bearer a,b"]
)
def test_a_malformed_header_is_always_a_401(client, authorization):
    for method in ("GET", "POST", "QUERY"):
        response = ask(client, method, authorization)
        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"] == "Bearer"
        assert response.json["detail"] == "The header Authorization is malformed."


def test_other_schemes_have_their_own_challenge(client):
    assert ask(client, "PUT", "Token abc").json == ["abc"]
    assert ask(client, "PUT", "Bearer abc").headers["WWW-Authenticate"] == "Token"


def test_basic_credentials_can_be_parsed(client):
    assert ask(client, "DELETE", "Basic dTpw").json == ["u", "p"]
    for authorization in (None, "Basic"):
        response = ask(client, "DELETE", authorization)
        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"] == "Basic realm=api"


def test_api_keys_come_from_headers_and_cookies(client):
    details = []
    for name in ("key", "cookie"):
        response = client.patch("/api/x", headers={"X-Key": "k"} if name == "cookie" else {})
        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"] == "Apikey"
        details.append(response.json["detail"])
    assert details == [
        "The request lacks the header X-Key.",
        "The request lacks the cookie session.",
    ]
    assert client.options("/api/x").json == [None, None]
    client.set_cookie("session", "s")
    assert client.patch("/api/x", headers={"X-Key": "k"}).json == ["k", "s"]


@pytest.mark.parametrize("arguments", ["", "'A', header='B'", "header='A', cookie='B'"])
def test_a_scheme_takes_one_argument(arguments):
    from flask_routehandlers import Scheme

    with pytest.raises(TypeError) as caught:
        eval(f"Scheme({arguments})", {"Scheme": Scheme})
    assert str(caught.value) == (
        'Scheme takes one argument: Scheme("Bearer"), Scheme(header="X-Key") or '
        'Scheme(cookie="session").'
    )
