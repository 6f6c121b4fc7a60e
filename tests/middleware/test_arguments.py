"""What a middleware is called with, and what can be one."""

from __future__ import annotations

import pytest

from tests.middleware.support import OK, both_kinds, variant


@both_kinds
@pytest.mark.parametrize(
    ("signature", "shown", "expected"),
    [
        ("", "'called'", "called"),
        ("request", "request.path", "/en/api/users/3/posts/7"),
        ("request", "type(request).__name__", "Request"),
        ("params", "params", {"lang": "en", "id": 3, "post": "7"}),
        ("id", "id", 3),
        ("lang", "lang", "en"),
        ("id, lang, params, request", "[id, lang, params['post'], request.method]",
         [3, "en", "7", "GET"]),
        ("*, id", "id", 3),
        ("id=0, other='default', post='of a deeper folder'", "[id, other, post]",
         [3, "default", "of a deeper folder"]),
        ("**rest", "sorted(rest)", ["call_next", "id", "lang", "params", "request"]),
        ("id, **rest", "[id, sorted(rest)]", [3, ["call_next", "lang", "params", "request"]]),
        ("*rest", "list(rest)", []),
        ("call_next", "call_next().text()", "the handler's"),
        ("call_next, id: int, lang: str", "[call_next().text(), id, lang]",
         ["the handler's", 3, "en"]),
    ],
)  # fmt: skip
def test_a_middleware_gets_what_it_names(make_client, kind, signature, shown, expected):
    shown = shown.replace(".text()", ".get_data(as_text=True)")
    code = f"from flask import jsonify\ndef middleware({signature}): return jsonify({shown})\n"
    files = {
        "users/[id=int]/middleware.py": variant(code, kind),
        "users/[id=int]/posts/[post]/route.py": 'def GET(): return "the handler\'s"\n',
    }
    client = make_client(files, url_prefix="/<lang>/api")
    assert client.get("/en/api/users/3/posts/7").json == expected


def test_a_catch_all_of_its_folder_is_a_list(make_client):
    client = make_client(
        {
            "files/[[...path]]/middleware.py": "def middleware(path): return path\n",
            "files/[[...path]]/route.py": OK,
        }
    )
    assert client.get("/api/files").json == []
    assert client.get("/api/files/a/b").json == ["a", "b"]


def test_a_removed_value_is_not_passed(make_app):
    code = "def middleware(params, lang='default'): return [lang, params]\n"
    app = make_app({"middleware.py": code, "[id]/route.py": OK}, url_prefix="/<lang>/api")
    app.url_value_preprocessor(lambda endpoint, values: values.pop("lang"))
    assert app.test_client().get("/de/api/3").json == ["default", {"id": "3"}]


CALLABLES = {
    "a lambda": "middleware = lambda call_next, id: mark(call_next(), id)\n",
    "an imported function": "from .marks import middleware\n",
    "wrappers with **": """
@sync_wrapper
@sync_wrapper
def middleware(call_next, id):
    return mark(call_next(), id)
""",
    "a wrapper that provides an argument": """
def checked(function):
    @functools.wraps(function)
    def wrapper(request, id, **values):
        return function(user=id, **values)
    return wrapper

@checked
def middleware(call_next, user):
    return mark(call_next(), user)
""",
    "a wrapper without a name": """
def tag(function):
    return lambda **values: function(values["call_next"], values["id"])

@tag
def middleware(call_next, id):
    return mark(call_next(), id)
""",
    "an async wrapper around an async function": """
@async_wrapper
async def middleware(call_next, id):
    return mark(await call_next(), id)
""",
    "a sync wrapper around an async function": """
@sync_wrapper
async def middleware(call_next, id):
    return mark(await call_next(), id)
""",
    "an async wrapper that awaits for a sync function": """
def after(function):
    @functools.wraps(function)
    async def wrapper(call_next, **values):
        return function(await call_next(), **values)
    return wrapper

@after
def middleware(response, id):
    return mark(response, id)
""",
    "a partial": """
def run(prefix, call_next, id, *, suffix):
    return mark(call_next(), prefix + id + suffix)

middleware = functools.partial(run, "", suffix="")
""",
    "a partial of an async function": """
async def run(prefix, call_next, id, *, suffix):
    return mark(await call_next(), prefix + id + suffix)

middleware = functools.partial(run, "", suffix="")
""",
    "an instance with __call__": "middleware = Sync()\n",
    "an instance with an async __call__": "middleware = Async()\n",
    "a bound method": "middleware = Sync().__call__\n",
    "an async bound method": "middleware = Async().__call__\n",
    "a class method": "middleware = Sync.run\n",
}

#: What the callables use: they mark the response with the parameter of their folder.
PREAMBLE = """
import functools

def mark(response, value):
    response.headers["Mark"] = value
    return response

def sync_wrapper(function):
    @functools.wraps(function)
    def wrapper(**values):
        return function(**values)
    return wrapper

def async_wrapper(function):
    @functools.wraps(function)
    async def wrapper(**values):
        return await function(**values)
    return wrapper

class Sync:
    def __call__(self, call_next, id):
        return mark(call_next(), id)

    @classmethod
    def run(cls, call_next, id):
        return mark(call_next(), id)

class Async:
    async def __call__(self, call_next, id):
        return mark(await call_next(), id)
"""


@pytest.mark.parametrize("form", ["", "middleware = [middleware]"], ids=["alone", "in a list"])
@pytest.mark.parametrize("code", CALLABLES.values(), ids=CALLABLES)
def test_any_callable_can_be_middleware(make_client, code, form):
    client = make_client(
        {
            "[id]/middleware.py": f"{PREAMBLE}{code}{form}\n",
            "[id]/marks.py": f"{PREAMBLE}{CALLABLES['a lambda']}",
            "[id]/route.py": "def GET(id): return f'answer {id}'\n",
        }
    )
    response = client.get("/api/3")
    assert (response.text, response.headers.getlist("Mark")) == ("answer 3", ["3"])
