"""Dependencies of static handlers: a static run is a separate request."""

from __future__ import annotations

import pytest

from flask_routehandlers import RouteHandlers
from flask_routehandlers.testing import override
from tests.dependencies.support import GATE, SESSIONS, both_kinds, rolled_back, take_log
from tests.support import bare_app, grow_older, settle, until

STATIC = "revalidate = 60\ndef GET(item, db):\n    log('handler')\n    return [item, db]\n"
ITEM = "def item(slug, db): return f'item {slug}'"


@pytest.fixture
def client(serve):
    return serve(
        {
            "dependencies.py": SESSIONS["sync"],
            "[slug]/dependencies.py": ITEM,
            "[slug]/route.py": STATIC,
        }
    )


def state(response):
    """Return what was done with the cache."""
    return response.headers["Cache-Status"].partition("; ")[2].partition("; ttl")[0]


def test_a_result_is_stored(client):
    assert state(client.get("/api/a")) == "fwd=miss; stored"
    assert take_log() == ["open", "handler", "commit", "close"]
    response = client.get("/api/a")
    assert (state(response), response.json) == ("hit", ["item a", "db"])
    assert take_log() == []


@both_kinds
@pytest.mark.parametrize("answer", ["'text'", "(piece for piece in 'ab')", "Response(iter('ab'))"])
def test_a_clean_up_that_fails_stores_nothing(serve, kind, answer):
    session = SESSIONS[kind].replace('log("commit")', "raise Conflict()")
    client = serve(session, f"revalidate = 60\ndef GET(db): return {answer}")
    for _ in range(2):
        assert client.get("/api/x").status_code == 409
        assert take_log() == rolled_back("Conflict")


def test_no_result_is_shared_with_middleware(serve):
    client = serve(
        {
            "dependencies.py": SESSIONS["sync"],
            "middleware.py": """
def middleware(db, call_next):
    log("before")
    response = call_next()
    log("after")
    return response
""",
        },
        "revalidate = 60\ndef GET(db): log('handler'); return ''",
    )
    client.get("/api/x")
    inner = ["open", "handler", "commit", "close"]
    assert take_log() == ["open", "before", *inner, "after", "commit", "close"]
    client.get("/api/x")
    assert take_log() == ["open", "before", "after", "commit", "close"]


def test_dependencies_run_in_the_sealed_context(serve):
    client = serve(
        {
            "dependencies.py": "def name(): return current.args.get('name')",
            "x/route.py": "revalidate = 60\ndef GET(name): return str(name)",
            "y/route.py": "dynamic = 'force-static'\ndef GET(name): return str(name)",
        }
    )
    client.application.testing = True
    with pytest.raises(Exception, match=r"used request\.args") as caught:
        client.get("/api/x?name=ada")
    assert type(caught.value).__name__ == "StaticRequestError"
    assert client.get("/api/y?name=ada").text == "None"


REFUSED = {
    "def who(request): ...": "who in dependencies.py reads request",
    "def inner(name: Query[str]): ...\ndef who(inner): ...": "inner in dependencies.py reads name",
    "def who(token: Bearer | None = None): ...": "who in dependencies.py reads token",
    "def who(a: Cookie[str], request): ...": "who in dependencies.py reads request, a",
}


@pytest.mark.parametrize("code", REFUSED)
def test_dependencies_that_read_the_request_are_refused(refuse, code):
    assert refuse(code, "revalidate = 60\ndef GET(who): ...\ndef POST(who): ...") == [
        (
            ("x/route.py",),
            f"GET is static, but its dependency {REFUSED[code]} from each request. "
            'Read it from the path, or write dynamic = "force-dynamic".',
        )
    ]


def test_other_methods_and_middleware_are_not_static(serve):
    client = serve(
        {
            "dependencies.py": "def who(request): return request.method",
            "middleware.py": "def middleware(who, call_next): log(who); return call_next()",
        },
        "revalidate = 60\ndef GET(): return 'stored'\ndef POST(who): return who",
    )
    assert [client.open("/api/x", method=m).text for m in ("GET", "POST")] == ["stored", "POST"]
    assert take_log() == ["GET", "POST"]


def test_the_cache_is_left_alone_while_overridden(client):
    client.get("/api/a")
    with override(client.application, item=lambda slug: f"fake {slug}"):
        for path in ("a", "b"):
            response = client.get(f"/api/{path}")
            assert response.json == [f"fake {path}", "db"]
            assert state(response) == "fwd=miss; detail=overridden"
    assert [client.get(f"/api/{path}").json[0] for path in ("a", "b")] == ["item a", "item b"]
    assert state(client.get("/api/a")) == "hit"


def test_other_overrides_leave_a_hit_a_hit(serve):
    client = serve(
        "def used(): return 'used'\ndef other(): ...",
        "revalidate = 60\ndef GET(used): return used",
    )
    client.get("/api/x")
    with override(client.application, other=lambda: None):
        assert state(client.get("/api/x")) == "hit"


def test_a_refresh_that_ends_while_overridden_stores_nothing(serve):
    client = serve(
        """
from tests.dependencies.support import GATE
def gate(): log("waits"); GATE.wait(30)
def item(): return "real"
""",
        "revalidate = 60\ndef GET(gate, item): return item",
    )
    GATE.set()
    client.get("/api/x")
    take_log()
    grow_older(client.application, 100)
    GATE.clear()
    assert client.get("/api/x").text == "real"
    assert until(lambda: take_log() == ["waits"])
    with override(client.application, item=lambda: "fake"):
        GATE.set()
        settle(client.application)
    assert client.get("/api/x").text == "real"


def test_unlisted_paths_stay_unknown_while_overridden(serve):
    client = serve(
        {
            "[slug]/dependencies.py": "def item(slug): return slug",
            "[slug]/route.py": """
dynamic_params = False
revalidate = 60
def generate_static_params(): return [{"slug": "a"}]
def GET(item): return item
""",
        }
    )
    with override(client.application, item=lambda slug: "fake"):
        assert [client.get(f"/api/{path}").status_code for path in ("a", "b")] == [200, 404]


def test_a_changed_dependency_is_another_version(tree):
    # Entries of an older deployment, in a store that both share, are not served.
    files = {
        "dependencies.py": "def item(): ...",
        "x/route.py": "revalidate = 60\ndef GET(item): ...",
    }
    folder = tree(files)
    keys = []
    for _ in range(3):
        app = bare_app(folder)
        RouteHandlers(app)
        [mount] = app.extensions["routehandlers"].values()
        keys.append(mount.routes[0].static.key_of("/api/x"))
        if len(keys) == 2:
            (folder / "app/api/dependencies.py").write_text("def item(): pass")
    assert keys[0] == keys[1] != keys[2]
