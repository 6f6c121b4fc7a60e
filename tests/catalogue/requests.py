"""Messages of what runs after the start: requests, URLs, revalidation."""

from __future__ import annotations

from tests.catalogue.model import Example, Section, dependencies, middleware, route

USERS = route("users", 'def GET():\n    return {"users": []}\n')


def listed(folder: str, values: str) -> dict[str, str]:
    """Return a static route file that lists its parameters."""
    return route(
        folder,
        "revalidate = False\ndynamic_params = False\n\n\n"
        f"def generate_static_params():\n    return {values}\n\n\n"
        "def GET(params):\n    return params\n",
    )


ANSWERS = Section(
    "## While a request is answered",
    (
        Example(
            note="Usually a `return` is missing:",
            files=route("users", 'def GET():\n    {"users": []}\n'),
            asks=('client.get("/api/users")',),
        ),
        Example(
            route(
                "users",
                'def GET():\n    return {"ann", "bob"}\n\n\ndef DELETE():\n    return None, 204\n',
            ),
            asks=('client.get("/api/users")', 'client.delete("/api/users")'),
        ),
        Example(
            USERS | middleware("", "def middleware(call_next):\n    call_next()\n"),
            asks=('client.get("/api/users")',),
        ),
        Example(
            note="A request has one answer, and the whole chain sees the same request:",
            files=USERS
            | middleware(
                "users",
                'def middleware(request, call_next):\n    if "twice" in request.args:\n'
                "        call_next()\n"
                '    if "argument" in request.args:\n'
                "        return call_next(request)\n"
                "    return call_next()\n",
            )
            | middleware("slow", "async def middleware(call_next):\n    return call_next()\n")
            | route("slow", 'def GET():\n    return {"slow": True}\n'),
            asks=(
                'client.get("/api/users?twice=1")',
                'client.get("/api/users?argument=1")',
                'client.get("/api/slow")',
            ),
        ),
        Example(
            note="Below async code, `next()` needs a default:",
            files=middleware(
                "stop", "async def middleware(call_next):\n    return await call_next()\n"
            )
            | route("stop", "def GET():\n    return next(iter([]))\n"),
            asks=('client.get("/api/stop")',),
        ),
        Example(
            note="In debug mode and in tests, an answer has to be as it is declared:",
            files=route(
                "users/[id=int]",
                "from dataclasses import dataclass\nfrom typing import Literal\n"
                "from werkzeug.exceptions import Conflict, NotFound\n\n\n"
                "@dataclass\nclass User:\n    id: int\n\n\n"
                "def GET(id: int) -> User | NotFound:\n"
                '    if id == 1:\n        return {"id": "one"}\n'
                "    if id == 2:\n        return User(2), 201\n"
                '    raise Conflict("It is locked.")\n',
            ),
            asks=(
                'client.get("/api/users/1")',
                'client.get("/api/users/2")',
                'client.get("/api/users/3")',
            ),
        ),
        Example(
            dependencies(
                "",
                "from collections.abc import Iterator\n\n\n"
                "def user() -> str:\n    return None\n\n\n"
                "def twice() -> Iterator[int]:\n    yield 1\n    yield 2\n\n\n"
                "def never() -> Iterator[int]:\n    return\n    yield 1\n",
            )
            | route(
                "users",
                "def GET(user):\n    return user\n\n\ndef POST(twice):\n    return []\n\n\n"
                "def PUT(never):\n    return []\n",
            ),
            asks=(
                'client.get("/api/users")',
                'client.post("/api/users")',
                'client.put("/api/users")',
            ),
        ),
    ),
    "In production the client gets a 500 that reveals nothing, and the message is in the log.",
)

STATIC = Section(
    "## In a static handler",
    (
        Example(
            route(
                "posts",
                "from flask import request\n\nrevalidate = 60\n\n\ndef GET():\n"
                '    return {"page": request.args.get("page", "1")}\n',
            )
            | route(
                "visits",
                'from flask import session\n\ndynamic = "force-static"\n\n\ndef GET():\n'
                '    session["visits"] = session.get("visits", 0) + 1\n'
                '    return {"visits": session["visits"]}\n',
            )
            | route(
                "mails",
                "from flask_routehandlers import after\n\nrevalidate = 60\n\n\ndef GET():\n"
                '    after(print, "sent")\n    return {}\n',
            ),
            asks=(
                'client.get("/api/posts")',
                'client.get("/api/visits")',
                'client.get("/api/mails")',
            ),
        ),
        Example(
            note="The results of `cache_tags` and `generate_static_params` are checked when they "
            "are needed:",
            files=route(
                "posts/[id=int]",
                'revalidate = 60\n\n\ndef cache_tags(id):\n    return f"post:{id}"\n\n\n'
                'def GET(id):\n    return {"id": id}\n',
            )
            | listed("pages/[page]", '["about", "contact"]')
            | listed("years/[year=int]", '[{"year": "last year"}]')
            | listed("files/[name]", '[{"name": "2026/sea.jpg"}]')
            | listed("words/[word]", '[{"word": "first"}, {"word": "last"}]')
            | route("words/last"),
            asks=(
                'client.get("/api/posts/1")',
                'client.get("/api/pages/about")',
                'client.get("/api/years/2026")',
                'client.get("/api/files/sea.jpg")',
                'client.get("/api/words/first")',
            ),
        ),
    ),
    "What a static handler returns is stored and served to everyone, so it cannot read what "
    "belongs to one client. Often something that it calls does: an extension or a template. The "
    "traceback shows where.",
)

URLS = Section(
    "## While a URL is built",
    (
        Example(
            route("files/[...path]", "def GET(path): return path\n")
            | route("users/[id]", "def GET(id): return id\n"),
            asks=(
                'with app.test_request_context(): url_for("api./files/[*path]", path="a/b.jpg")',
                'with app.test_request_context(): url_for("api./files/[*path]", path=[])',
                'with app.test_request_context(): url_for("api./files/[*path]", path=[".."])',
                'with app.test_request_context(): url_for("api./users/[id]", id="ada/posts")',
            ),
        ),
    ),
    "Plain Flask returns a URL that is 404, or that leads to another route. For a wrong endpoint "
    "or a missing value, `url_for` raises Werkzeug's `BuildError`, as in any Flask app.",
)

REVALIDATING = Section(
    "## Revalidating",
    (
        Example(
            route("posts", 'revalidate = False\n\n\ndef GET():\n    return {"posts": []}\n')
            | route("search", 'def GET(request):\n    return {"q": request.args["q"]}\n'),
            asks=(
                'revalidate_path("/api/posts")',
                'with app.app_context(): revalidate_path("/api/post")',
                'with app.app_context(): revalidate_path("/blog")',
                'with app.app_context(): revalidate_path("http://localhost/api/posts")',
                'with app.app_context(): revalidate_path("/api/search")',
                'with app.app_context(): revalidate_path(["/api/posts"])',
                'with app.app_context(): revalidate_tag(["posts", "tags"])',
                'with app.app_context(): revalidate_tag("")',
                'with Flask("another").app_context(): revalidate_tag("posts")',
            ),
        ),
    ),
    "An unknown tag is not an error: the responses that have it may not be stored at the moment. "
    "When a shared store cannot be reached, both functions raise a `StoreError`; [several "
    "machines](machines.md#when-the-store-is-down) describes what to do then.",
)

ASYNC = Section(
    "## Async code and after()",
    (
        Example(
            route(
                "reports",
                "from flask_routehandlers import run_async\n\n\n"
                "async def work():\n    return 1\n\n\n"
                'async def GET():\n    return {"result": run_async(work())}\n',
            ),
            asks=('client.get("/api/reports")', 'after(print, "late")'),
        ),
    ),
)

TESTS = Section(
    "## In tests",
    (
        Example(
            dependencies("", "def user():\n    return 1\n") | route("users/[id=int]"),
            asks=(
                "with override(app, users=lambda: 1): ...",
                "with override(app, user=1): ...",
                'route(app, "user/[id=int]")',
            ),
        ),
    ),
)

SECTIONS = (ANSWERS, STATIC, URLS, REVALIDATING, ASYNC, TESTS)
