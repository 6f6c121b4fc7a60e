"""The headers of a stored answer, and what hooks and extensions may make of it."""

from __future__ import annotations

import gzip
import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask, Response, after_this_request, g, request, session
from werkzeug.http import parse_date

from flask_routehandlers import RouteHandlers
from tests.support import bare_app, grow_older, until

PATH = "/api/page"
SHARED = "s-maxage=60, stale-while-revalidate=31535940"
PRIVATE = "private, no-cache"
TELL = "from flask import Response, redirect\n"


def page(
    returns: str = "'hello'", config: str = "revalidate = 60", more: str = ""
) -> dict[str, str]:
    return {"page/route.py": f"{TELL}{more}\n{config}\n\ndef GET():\n    return {returns}\n"}


def twice(app: Flask, **arguments: Any) -> list[Any]:
    """The answers to two requests for the page: a miss and a hit."""
    client = app.test_client(use_cookies=False)  # which leaves a Cookie header as it is
    return [client.get(PATH, **arguments) for _ in range(2)]


# A miss and a hit.


def test_a_miss_and_a_hit_have_these_headers(make_app):
    miss, hit = twice(make_app(page()))
    etag = miss.headers["ETag"]
    assert list(miss.headers) == [
        ("Content-Type", "text/html; charset=utf-8"),
        ("Content-Length", "5"),
        ("ETag", etag),
        ("Cache-Control", SHARED),
        ("Cache-Status", "flask-routehandlers; fwd=miss; stored"),
    ]
    assert list(hit.headers) == [
        ("Content-Type", "text/html; charset=utf-8"),
        ("Content-Length", "5"),
        ("ETag", etag),
        ("Cache-Control", SHARED),
        ("Age", "0"),
        ("Cache-Status", "flask-routehandlers; hit; ttl=60"),
    ]
    assert len(etag) == 34
    assert etag[0] == etag[-1] == '"'


def test_headers_of_the_handler_are_kept(make_app):
    returns = (
        "Response('x', headers=[('X-A', '1'), ('Link', '</a>'), ('Link', '</b>'), ('Date', 'now'),"
        " ('Age', '9'), ('Cache-Status', 'other; hit'), ('Connection', 'close')])"
    )
    for response in twice(make_app(page(returns))):
        assert response.headers.getlist("Link") == ["</a>", "</b>"]
        assert response.headers["X-A"] == "1"
        assert len(response.headers.getlist("Cache-Status")) == 1
        assert "now" not in response.headers.getlist("Date")
        assert "Connection" not in response.headers
        assert response.headers.get("Age") in (None, "0")


def test_age_and_ttl_are_whole_seconds(make_app):
    app = make_app(page())
    client = app.test_client()
    client.get(PATH)
    for seconds, age, ttl in (
        (10.5, "10", 49),
        (49, "59", 0),
        (1, "60", -1),
        (3600, "3660", -3601),
    ):
        grow_older(app, seconds)
        response = client.head(PATH)
        assert response.headers["Age"] == age
        assert response.headers["Cache-Status"] == f"flask-routehandlers; hit; ttl={ttl}"
        if ttl < 0:  # a refresh has begun
            assert until(lambda: client.get(PATH).headers["Age"] == "0")
            grow_older(app, 60.5)
    # Caches on the way get the age that they count from.
    assert response.headers["Cache-Control"] == SHARED


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ("revalidate = 1", "s-maxage=1, stale-while-revalidate=31535999"),
        ("revalidate = False", "s-maxage=31536000"),
        ("dynamic = 'force-static'", "s-maxage=31536000"),
        (
            "dynamic = 'force-static'\nrevalidate = 5",
            "s-maxage=5, stale-while-revalidate=31535995",
        ),
        ("revalidate = 10**9", "s-maxage=31536000"),
    ],
)
def test_cache_control_has_the_lifetime(make_app, config, said):
    for response in twice(make_app(page(config=config))):
        assert response.headers.getlist("Cache-Control") == [said]


@pytest.mark.parametrize("own", ["public, max-age=5", "no-cache", "max-age=0, must-revalidate"])
@pytest.mark.parametrize("header", [{}, {"Cookie": "a=1"}])
def test_the_handlers_cache_control_is_kept(make_app, own, header):
    returns = f"'hello', {{'Cache-Control': {own!r}}}"
    for response in twice(make_app(page(returns)), headers=header):
        assert response.headers.getlist("Cache-Control") == [own]
        assert "Cache-Status" in response.headers


@pytest.mark.parametrize("name", ["Cookie", "Authorization"])
def test_an_answer_to_credentials_is_private(make_app, name):
    app = make_app(page())
    client = app.test_client(use_cookies=False)
    with_credentials = [client.get(PATH, headers={name: "mine"}) for _ in range(2)]
    without = client.get(PATH)
    for response in with_credentials:
        assert response.headers["Cache-Control"] == PRIVATE
        assert response.data == without.data
        assert response.headers["ETag"] == without.headers["ETag"]
    assert without.headers["Cache-Control"] == SHARED
    assert client.get(PATH, headers={name: "mine"}).headers["Cache-Control"] == PRIVATE


@pytest.mark.parametrize("place", ["", "page/"])
def test_an_answer_through_middleware_is_private(make_app, place):
    guard = "def middleware(request, call_next):\n    return call_next()\n"
    for response in twice(make_app({**page(), f"{place}middleware.py": guard})):
        assert response.headers.getlist("Cache-Control") == [PRIVATE]


def test_middleware_elsewhere_changes_nothing(make_app):
    guard = "def middleware(request, call_next):\n    return call_next()\n"
    files = {**page(), "other/middleware.py": guard, "other/route.py": "def GET(): ..."}
    assert twice(make_app(files))[1].headers["Cache-Control"] == SHARED


# Redirects.


@pytest.mark.parametrize("status", [301, 308])
def test_a_redirect_is_stored_with_location(make_app, status):
    miss, hit = twice(make_app(page(f"redirect('/api/new', {status})")))
    for response in (miss, hit):
        assert (response.status_code, response.headers["Location"]) == (status, "/api/new")
        assert response.headers["Cache-Control"] == SHARED
    assert hit.data == miss.data
    assert hit.headers["Cache-Status"] == "flask-routehandlers; hit; ttl=60"


@pytest.mark.parametrize("name", ["Location", "Content-Location", "location"])
def test_headers_with_urls_are_sent_as_ascii(make_app, name):
    code = page(f"Response('x', 301, {{{name!r}: '/bücher?q=é&a=%41'}})")
    app = make_app({"dynamic/route.py": code["page/route.py"].replace("revalidate", "_"), **code})
    client = app.test_client()
    sent = [client.get(path).headers[name] for path in ("/api/dynamic", PATH, PATH)]
    assert sent == ["/b%C3%BCcher?q=%C3%A9&a=%41"] * 3


@pytest.mark.parametrize("status", [301, 308])
def test_a_redirect_is_not_conditional(make_app, status):
    client = make_app(page(f"redirect('/api/new', {status})")).test_client()
    etag = client.get(PATH).headers["ETag"]
    response = client.get(PATH, headers={"If-None-Match": etag})
    assert (response.status_code, response.headers["Location"]) == (status, "/api/new")


# Conditional requests.


@pytest.mark.parametrize(
    ("condition", "status"),
    [
        ("{etag}", 304),
        ("W/{etag}", 304),
        ("*", 304),
        ('"other", {etag}', 304),
        ('{etag}, "other"', 304),
        ('"other"', 200),
        ("", 200),
        ("{bare}", 304),
        ('garbage, "', 200),
    ],
)
def test_if_none_match_is_answered_with_304(make_app, condition, status):
    client = make_app(page()).test_client()
    whole = client.get(PATH)
    etag = whole.headers["ETag"]
    value = condition.format(etag=etag, bare=etag.strip('"'))
    response = client.get(PATH, headers={"If-None-Match": value})
    assert response.status_code == status
    assert response.headers["ETag"] == etag
    assert response.headers["Cache-Control"] == SHARED
    assert response.headers["Age"] == "0"
    if status == 304:
        assert response.data == b""
        assert "Content-Length" not in response.headers
        assert "Content-Type" not in response.headers
    else:
        assert response.data == whole.data


def test_a_miss_can_be_answered_with_304(make_app):
    app = make_app(page())
    etag = make_app(page()).test_client().get(PATH).headers["ETag"]
    response = app.test_client().get(PATH, headers={"If-None-Match": etag})
    assert (response.status_code, response.data) == (304, b"")
    assert response.headers["Cache-Status"] == "flask-routehandlers; fwd=miss; stored"
    assert app.test_client().get(PATH).data == b"hello"


def test_head_can_be_answered_with_304(make_app):
    client = make_app(page()).test_client()
    etag = client.head(PATH).headers["ETag"]
    assert client.head(PATH, headers={"If-None-Match": etag}).status_code == 304
    assert client.head(PATH, headers={"If-None-Match": '"x"'}).status_code == 200


def test_a_304_has_no_headers_about_a_body(make_app):
    returns = (
        "Response('x', headers={'Expires': 'never', 'Content-Location': '/x', 'X-Own': '1',"
        " 'Content-Language': 'en', 'Last-Modified': 'once'})"
    )
    client = make_app(page(returns)).test_client(use_cookies=False)
    etag = client.get(PATH).headers["ETag"]
    told = client.get(PATH, headers={"If-None-Match": etag, "Cookie": "a=1"})
    names = {name for name, _ in told.headers}
    assert names == {
        *("Expires", "Content-Location", "X-Own", "ETag"),
        *("Cache-Control", "Age", "Cache-Status"),
    }
    assert told.headers["Cache-Control"] == PRIVATE


CONDITIONS = {
    "the same time": {"If-Modified-Since": "{time}"},
    "an earlier time": {"If-Modified-Since": "Mon, 01 Jan 2001 00:00:00 GMT"},
    "a later time": {"If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"},
    "no time": {"If-Modified-Since": "yesterday"},
    "the same tag": {"If-None-Match": "{etag}"},
    "another tag": {"If-None-Match": '"other"'},
    "another tag and the same time": {"If-None-Match": '"other"', "If-Modified-Since": "{time}"},
    "the same tag wanted": {"If-Match": "{etag}"},
    "another tag wanted": {"If-Match": '"other"'},
    "any tag wanted": {"If-Match": "*"},
    "no tag wanted": {"If-Match": ""},
    "both": {"If-Match": "{etag}", "If-None-Match": "{etag}"},
    "neither": {"If-Match": '"other"', "If-None-Match": '"other"'},
}


@pytest.mark.parametrize("condition", CONDITIONS)
def test_conditions_mean_what_they_do_elsewhere(make_app, tmp_path, condition):
    (tmp_path / "file.txt").write_text("0123456789")
    more = "from flask import send_file"
    code = page(f"send_file({str(tmp_path / 'file.txt')!r})", more=more)["page/route.py"]
    files = {"static/route.py": code, "dynamic/route.py": code.replace("revalidate", "_")}
    client = make_app(files).test_client()
    with client.get("/api/dynamic") as plain:
        values = {"time": plain.headers["Last-Modified"], "etag": plain.headers["ETag"]}
    headers = {name: value.format(**values) for name, value in CONDITIONS[condition].items()}
    with client.get("/api/dynamic", headers=headers) as expected:
        assert expected.status_code in (200, 304, 412)
    for method in ("GET", "GET", "HEAD"):
        response = client.open("/api/static", method=method, headers=headers)
        assert response.status_code == expected.status_code
        has_body = response.status_code == 200 and method == "GET"
        assert response.data == (b"0123456789" if has_body else b"")
        assert response.headers["ETag"] == values["etag"]


@pytest.mark.parametrize("own", ['"mine"', 'W/"mine"'])
def test_an_etag_of_the_handler_is_compared(make_app, own):
    client = make_app(page(f"'x', {{'ETag': {own!r}}}")).test_client()
    for _ in range(2):
        assert client.get(PATH).headers.getlist("ETag") == [own]
        for asked in ('"mine"', 'W/"mine"'):
            response = client.get(PATH, headers={"If-None-Match": asked})
            assert (response.status_code, response.headers["ETag"]) == (304, own)
    assert client.get(PATH, headers={"If-None-Match": '"m"'}).status_code == 200


def test_an_etag_changes_with_the_response(make_app):
    def etag(returns: str) -> str:
        return str(make_app(page(returns)).test_client().get(PATH).headers["ETag"])

    assert etag("'a'") == etag("Response('a')")
    every = ["'a'", "'b'", "'a', {'X': 'y'}", "Response('a', mimetype='text/plain')", "['a']"]
    assert len({etag(returns) for returns in every}) == len(every)


# Every hit is a separate response.


def test_a_hook_changes_one_response_only(make_app):
    app = make_app(page())
    seen = []

    @app.after_request
    def change(response: Response) -> Response:
        seen.append(response)
        assert isinstance(response, Response)
        assert response.get_data() == b"hello"
        assert "X-Query" not in response.headers
        response.headers["X-Query"] = request.args["q"]
        response.headers.extend([("X-More", "1")])
        if request.args["q"] == "1":
            response.headers.clear()
            response.status_code = 418
            response.set_data("changed")
        return response

    client = app.test_client()
    answers = [client.get(PATH, query_string={"q": q}) for q in "01234"]
    assert [answer.data for answer in answers] == [b"hello", b"changed", *[b"hello"] * 3]
    assert [answer.status_code for answer in answers] == [200, 418, 200, 200, 200]
    assert [answer.headers.get("X-Query") for answer in answers] == ["0", None, "2", "3", "4"]
    assert len({id(response) for response in seen}) == 5
    assert len({id(response.headers) for response in seen}) == 5


def test_concurrent_clients_get_own_responses(make_app):
    app = make_app(page("'x' * 5000"))

    @app.after_request
    def change(response: Response) -> Response:
        response.headers["X-Own"] = request.headers["X-Own"]
        return response

    barrier = threading.Barrier(16)

    def ask(number: int) -> None:
        client = app.test_client()
        barrier.wait()
        for turn in range(50):
            value = f"{number} {turn}"
            response = client.get(PATH, headers={"X-Own": value})
            assert response.headers.getlist("X-Own") == [value]
            assert response.data == b"x" * 5000

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(ask, range(16)))


def test_a_hit_is_a_response_like_any_other(make_app):
    app = make_app(page('{"a": 1}'))
    seen: list[Any] = []

    @app.after_request
    def look(response: Response) -> Response:
        seen.append(
            (
                response.status, response.status_code, response.mimetype, response.is_json,
                response.get_json(), response.content_length, response.get_etag()[1],
                response.is_sequence, response.is_streamed, response.direct_passthrough,
                response.cache_control.s_maxage, response.calculate_content_length(),
            )
        )  # fmt: skip
        assert response.call_on_close(lambda: seen.append("closed"))
        return response

    for answer in twice(app):
        assert answer.get_json() == {"a": 1}
        answer.close()
    assert seen[2:] == ["closed", "closed"]
    for told in seen[:2]:
        assert told == (
            "200 OK", 200, "application/json", True, {"a": 1}, 8, False, True, False, False, 60, 8,
        )  # fmt: skip


# What hooks and extensions change.


def changed(make_app: Any, change: Any, returns: str = "'hello'", **headers: str) -> list[Any]:
    app = make_app(page(returns))

    @app.after_request
    def hook(response: Response) -> Response:
        change(response)
        return response

    return twice(app, headers=headers)


@pytest.mark.parametrize("own", [None, "public, max-age=60"])
def test_a_cookie_makes_an_answer_private(make_app, own):
    returns = f"'hello', {{'Cache-Control': {own!r}}}" if own else "'hello'"

    def change(response: Response) -> None:
        response.set_cookie("who", request.headers["X-Who"])
        response.headers["CDN-Cache-Control"] = "max-age=600"
        response.headers["Surrogate-Control"] = "max-age=600"
        response.headers["X-Accel-Expires"] = "600"

    for response in changed(make_app, change, returns, **{"X-Who": "me"}):
        assert response.headers["Set-Cookie"] == "who=me; Path=/"
        assert response.headers.getlist("Cache-Control") == [PRIVATE]
        names = {name.lower() for name, _ in response.headers}
        assert names.isdisjoint({"cdn-cache-control", "surrogate-control", "x-accel-expires"})


def test_no_store_stays_next_to_a_cookie(make_app):
    def change(response: Response) -> None:
        response.set_cookie("who", "me")
        response.headers["Cache-Control"] = "no-store"

    for response in changed(make_app, change):
        assert response.headers.getlist("Cache-Control") == ["no-store"]


def test_a_session_in_middleware_is_private(tree):
    note = (
        "from flask import session\n"
        "def middleware(request, call_next):\n"
        "    session['seen'] = session.get('seen', 0) + 1\n"
        "    return call_next()\n"
    )
    app = bare_app(tree({**page(), "middleware.py": note}))
    app.secret_key = "a secret"
    RouteHandlers(app)
    client = app.test_client()
    for seen in (1, 2, 3):
        response = client.get(PATH)
        assert response.headers["Cache-Control"] == PRIVATE
        assert response.headers["Vary"] == "Cookie"
        with client.session_transaction() as opened:
            assert opened["seen"] == seen


def test_a_session_read_by_a_hook_is_private(make_app):
    def change(response: Response) -> None:
        response.headers["X-User"] = session.get("user", "nobody")

    app = make_app(page())
    app.secret_key = "a secret"
    app.before_request(lambda: g.setdefault("user", session.get("user")))
    for response in twice(app):
        assert response.headers["Cache-Control"] == PRIVATE
        assert response.headers["Vary"] == "Cookie"


@pytest.mark.parametrize(
    ("vary", "said"),
    [
        ("Cookie", PRIVATE),
        ("Accept-Encoding, Origin", PRIVATE),
        ("*", PRIVATE),
        ("Accept-Encoding", SHARED),
        ("", SHARED),
    ],
)
def test_vary_makes_an_answer_private(make_app, vary, said):
    def change(response: Response) -> None:
        response.headers["Vary"] = vary

    for response in changed(make_app, change):
        assert response.headers.getlist("Cache-Control") == [said]


def test_cache_control_of_a_hook_is_kept(make_app):
    def change(response: Response) -> None:
        response.headers["X-Request-Id"] = "1"
        response.headers["Cache-Control"] = "public, max-age=5"

    for response in changed(make_app, change):
        assert response.headers.getlist("Cache-Control") == ["public, max-age=5"]


def test_a_changed_body_is_private(make_app):
    def change(response: Response) -> None:
        response.set_data(f"hello {request.headers['X-Who']}")

    for response in changed(make_app, change, **{"X-Who": "me"}):
        assert response.text == "hello me"
        assert response.headers["Content-Length"] == "8"
        assert response.headers["Cache-Control"] == PRIVATE
        assert "ETag" not in response.headers


@pytest.mark.parametrize(
    "change",
    [
        lambda response: response.stream.write(" me"),
        lambda response: response.response.append(b" me"),
        lambda response: response.response.__setitem__(0, b"HELLO"),
    ],
)
def test_a_body_changed_in_place_is_private(make_app, change):
    for response in changed(make_app, change):
        assert response.headers["Cache-Control"] == PRIVATE
        assert "ETag" not in response.headers


def test_a_changed_body_may_get_an_etag(make_app):
    def change(response: Response) -> None:
        response.set_data("hello me")
        response.set_etag(hashlib.sha256(response.get_data()).hexdigest())

    for response in changed(make_app, change):
        assert response.headers["ETag"] == f'"{hashlib.sha256(b"hello me").hexdigest()}"'


def test_a_compressed_answer_stays_shared(make_app):
    def change(response: Response) -> None:
        response.vary.add("Accept-Encoding")
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            response.set_data(gzip.compress(response.get_data()))
            response.content_encoding = "gzip"

    app = make_app(page("'hello ' * 100"))
    app.after_request(lambda response: change(response) or response)
    client = app.test_client()
    for _ in range(2):
        packed = client.get(PATH, headers={"Accept-Encoding": "gzip"})
        plain = client.get(PATH)
        assert gzip.decompress(packed.data) == plain.data == b"hello " * 100
        for response in (packed, plain):
            assert response.headers["Cache-Control"] == SHARED
            assert response.headers["Vary"] == "Accept-Encoding"
            assert response.headers["Content-Length"] == str(len(response.data))
        assert packed.headers["ETag"] == f"W/{plain.headers['ETag']}"
        again = client.get(PATH, headers={"If-None-Match": packed.headers["ETag"]})
        assert again.status_code == 304


def compress(response: Response) -> None:
    response.set_data(gzip.compress(response.get_data()))
    response.content_encoding = "gzip"
    response.vary.add("Accept-Encoding")


def personal(response: Response) -> None:
    response.set_data(f"hello {request.headers['X-Who']}")


def personal_in_place(response: Response) -> None:
    response.response.append(request.headers["X-Who"].encode())


@pytest.mark.parametrize("change", [personal, personal_in_place])
def test_a_personal_body_stays_private_compressed(make_app, change):
    def both(response: Response) -> None:
        change(response)
        compress(response)

    for response in changed(make_app, both, **{"X-Who": "me"}):
        assert b"me" in gzip.decompress(response.data)
        assert response.headers["Cache-Control"] == PRIVATE
        assert "ETag" not in response.headers


def test_no_transform_does_not_share_a_body(make_app):
    def change(response: Response) -> None:
        personal(response)
        response.cache_control.no_transform = True

    for response in changed(make_app, change, **{"X-Who": "me"}):
        assert response.headers["Cache-Control"] == PRIVATE


def replaced(response: Response) -> Response:
    """Return another response with the same headers, as a hook for a page builder may do."""
    return Response(f"hello {request.headers['X-Who']}", headers=response.headers)


def test_a_replaced_response_is_private(make_app):
    app = make_app(page())
    app.after_request(replaced)
    for response in twice(app, headers={"X-Who": "me"}):
        assert response.text == "hello me"
        assert response.headers["Cache-Control"] == PRIVATE
        assert "ETag" not in response.headers


def test_a_replaced_response_with_a_session(make_app):
    app = make_app(page())
    app.secret_key = "a secret"

    @app.after_request
    def visit(response: Response) -> Response:
        session["who"] = request.headers["X-Who"]
        return replaced(response)

    for response in twice(app, headers={"X-Who": "me"}):
        assert response.headers["Set-Cookie"].startswith("session=")
        assert response.headers["Cache-Control"] == PRIVATE


def test_after_this_request_may_replace_it(make_app):
    app = make_app(page())
    app.before_request(lambda: after_this_request(replaced) and None)
    for response in twice(app, headers={"X-Who": "me"}):
        assert response.headers["Cache-Control"] == PRIVATE


@pytest.mark.parametrize("returns", ["response", "Response('hello me', headers=response.headers)"])
def test_middleware_may_not_share_its_body(make_app, returns):
    note = (
        "from flask import Response\n"
        "def middleware(request, call_next):\n"
        "    response = call_next()\n"
        "    response.set_data('hello me')\n"
        f"    return {returns}\n"
    )
    files = page("'hello', {'Cache-Control': 'public, max-age=60'}")
    for response in twice(make_app(files | {"middleware.py": note})):
        assert response.text == "hello me"
        assert response.headers["Cache-Control"] == PRIVATE


TARGETED = (
    "CDN-Cache-Control",
    "Cloudflare-CDN-Cache-Control",
    "Edge-Control",
    "Surrogate-Control",
    "Vercel-CDN-Cache-Control",
    "X-Accel-Expires",
)


@pytest.mark.parametrize("name", TARGETED)
def test_no_header_contradicts_private(make_app, name):
    files = page(f"'hello', {{{name!r}: 'max-age=600'}}")
    guard = "def middleware(request, call_next):\n    return call_next()\n"
    for response in twice(make_app(files)):
        assert (response.headers["Cache-Control"], name in response.headers) == (SHARED, True)
    for response in twice(make_app(files), headers={"Cookie": "a=1"}):
        assert (response.headers["Cache-Control"], name in response.headers) == (PRIVATE, False)
    for response in twice(make_app(files | {"middleware.py": guard})):
        assert (response.headers["Cache-Control"], name in response.headers) == (PRIVATE, False)


def test_private_for_one_header_is_not_enough(make_app):
    def change(response: Response) -> None:
        response.set_cookie("who", "me")
        response.headers["Cache-Control"] = 'max-age=60, private="Set-Cookie"'

    for response in changed(make_app, change):
        assert response.headers["Cache-Control"] == PRIVATE


def test_a_looking_hook_changes_nothing(make_app):
    def look(response: Response) -> None:
        assert response.status_code == 200
        assert response.get_data() == b"hello"
        response.headers["X-Request-Id"] = "1"

    untouched = twice(make_app(page()))
    for response, other in zip(changed(make_app, look), untouched, strict=True):
        del response.headers["X-Request-Id"]
        assert list(response.headers) == list(other.headers)


def test_dynamic_responses_are_left_alone(make_app):
    app = make_app(page() | {"now/route.py": "def GET(): return 'now'\n"})
    app.after_request(lambda response: response.set_cookie("a", "b") or response)
    response = app.test_client().get("/api/now")
    assert "Cache-Control" not in response.headers


@pytest.mark.parametrize("status", [403, 503])
def test_a_changed_status_is_private(make_app, status):
    def change(response: Response) -> None:
        response.status_code = status

    for response in changed(make_app, change):
        assert (response.status_code, response.data) == (status, b"hello")
        assert response.headers["Cache-Control"] == PRIVATE
        assert "ETag" not in response.headers


def test_a_hook_may_replace_the_response(make_app):
    app = make_app(page())
    app.after_request(lambda response: Response("other", 202))
    for response in twice(app):
        assert (response.status_code, response.data) == (202, b"other")
        assert "Cache-Status" not in response.headers


def test_a_hook_may_make_it_conditional(make_app):
    app = make_app(page("Response('hello', headers={'Last-Modified': "
                        "'Thu, 01 Jan 2026 00:00:00 GMT'})"))  # fmt: skip
    app.after_request(lambda response: response.make_conditional(request, accept_ranges=True))
    client = app.test_client()
    for _ in range(2):
        since = "Fri, 02 Jan 2026 00:00:00 GMT"
        assert parse_date(since) is not None
        response = client.get(PATH, headers={"If-Modified-Since": since})
        assert (response.status_code, response.data) == (304, b"")
        whole = client.get(PATH)
        assert (whole.status_code, whole.data) == (200, b"hello")


def test_location_is_completed_by_the_class(tree):
    class Absolute(Response):
        autocorrect_location_header = True

    app = bare_app(tree(page("redirect('/api/new', 308)")))
    app.response_class = Absolute
    RouteHandlers(app)
    for response in twice(app, base_url="http://example.org"):
        assert response.headers["Location"] == "http://example.org/api/new"


# Response classes of the app's own.


class Slotted(Response):
    default_mimetype = "text/plain"
    #: Something that an app's own hooks look for.
    made_by = "us"


class Customized(Response):
    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.tags = ["own"]

    def get_wsgi_headers(self, environ: Any) -> Any:
        headers = super().get_wsgi_headers(environ)
        headers["X-Own"] = self.tags[0]
        return headers


@pytest.mark.parametrize("response_class", [Slotted, Customized])
def test_a_custom_response_class_is_used(tree, response_class):
    app = bare_app(tree(page()))
    RouteHandlers(app)
    app.response_class = response_class  # also after the extension, as Flask allows
    seen = []

    @app.after_request
    def look(response: Response) -> Response:
        assert isinstance(response, response_class)
        seen.append(vars(type(response)).get("made_by", getattr(response, "tags", None)))
        return response

    for response in twice(app):
        assert response.data == b"hello"
        assert response.headers["ETag"]
        assert response.headers.get("X-Own") == ("own" if response_class is Customized else None)
    if response_class is Customized:
        assert seen == [["own"], ["own"]]
    client = app.test_client()
    head = client.head(PATH)
    assert (head.data, head.headers["Content-Length"]) == (b"", "5")
    told = client.get(PATH, headers={"If-None-Match": head.headers["ETag"]})
    assert (told.status_code, told.data) == (304, b"")
