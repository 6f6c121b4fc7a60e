"""Which functions of a ``dependencies.py`` are dependencies, and which exports are refused."""

from __future__ import annotations

import pytest

FILE = ("dependencies.py",)

TOOLS = """
import functools

def helper(): return "helper"

def make(value):
    def made(): return value
    return made

def plain(f):
    @functools.wraps(f)
    def wrapper(*args, **kwargs):
        return f(*args, **kwargs)
    return wrapper
"""

OFFERED = {
    "function": "def name(): return 'name'",
    "async function": "async def name(): return 'name'",
    "lambda": "name = lambda: 'name'",
    "decorated": "from ._lib.tools import plain\n@plain\ndef name(): return 'name'",
    "cached": "@functools.lru_cache\ndef name(): return 'name'",
    "listed": "def name(): return 'name'\ndef other(thing): ...\n__all__ = ['name']",
    "listed in a tuple": "def name(): return 'name'\n__all__ = ('name',)",
    "imported": "from ._lib.tools import helper as name\n__all__ = ['name']",
    "made": "from ._lib.tools import make\nname = make('name')\n__all__ = ['name']",
    "private but listed": "def _name(): return 'name'\n__all__ = ['_name', 'name']\nname = _name",
    "method": "name = str('name').upper\n__all__ = ['name']",
}


@pytest.mark.parametrize("code", OFFERED.values(), ids=OFFERED)
def test_what_is_a_dependency(serve, code):
    files = {"_lib/tools.py": TOOLS, "dependencies.py": code}
    client = serve(files, "def GET(name): return name")
    assert client.get("/api/x").text.lower() in ("name", "helper")


HIDDEN = {
    "private": "def _name(): ...\ndef other(): ...",
    "imported": "from ._lib.tools import helper as name\ndef other(): ...",
    "made": "from ._lib.tools import make\nname = make(1)\ndef other(): ...",
    "not listed": "def name(): ...\ndef other(): ...\n__all__ = ['other']",
    "class": "class name: ...\ndef other(): ...",
    "value": "name = 3\ndef other(): ...",
    "object": "name = functools.partial(print)\ndef other(): ...",
}


@pytest.mark.parametrize("code", HIDDEN.values(), ids=HIDDEN)
def test_what_is_none(refuse, code):
    files = {
        "_lib/tools.py": TOOLS,
        "dependencies.py": code,
        "x/route.py": "def GET(name): return ''",
    }
    [(place, message)] = refuse(files)
    assert place == ("x/route.py",)
    assert message.startswith("GET asks for 'name', which ")


def test_an_import_that_is_not_offered_is_named(refuse):
    code = "from os.path import join as path\ndef other(): ..."
    route = "def GET(path): return ''"
    assert refuse(code, route) == [
        (
            ("x/route.py",),
            "GET asks for 'path', which dependencies.py imports. Only functions that it defines "
            "are dependencies. List the names that it offers: __all__ = ['path', ...].",
        )
    ]


REFUSED = {
    "class Thing: ...\n__all__ = ['Thing']": (
        "Thing is a class, but a dependency is a function. Write def Thing(), which returns it."
    ),
    "thing = functools.partial(print)\n__all__ = ['thing']": (
        "thing is of the type partial, but a dependency is a function. "
        "Write def thing(), which returns it."
    ),
    "thing = 3\n__all__ = ['thing']": (
        "thing is of the type int, but a dependency is a function. "
        "Write def thing(), which returns it."
    ),
    "__all__ = ['thing']": ("__all__ lists thing, which the file lacks. Define it, or remove it."),
    "def thing(): ...\n__all__ = 'thing'": (
        "__all__ is 'thing'. Write a list of names, for example __all__ = [\"db\"]."
    ),
    "def thing(): ...\n__all__ = [thing]": None,
    "def _thing(): ...": (
        "The file has no dependency. "
        "Define a function, for example def db(), or list imported ones in __all__."
    ),
    "from contextlib import contextmanager\n@contextmanager\ndef db(): yield": (
        "db is a generator inside a context manager. "
        "Remove @contextmanager: a dependency that yields is cleaned up by itself."
    ),
    "from contextlib import asynccontextmanager\n@asynccontextmanager\nasync def db(): yield": (
        "db is a generator inside a context manager. "
        "Remove @asynccontextmanager: a dependency that yields is cleaned up by itself."
    ),
    "class Kept:\n    def __init__(self, f): functools.update_wrapper(self, f)\n"
    "    def __call__(self): ...\n@Kept\ndef db(): ...": (
        "db is of the type Kept, but a dependency is a function. Write def db(), which returns it."
    ),
}


@pytest.mark.parametrize("code", REFUSED)
def test_exports_that_are_refused(refuse, code):
    [(place, message)] = refuse(code)
    assert place == FILE
    if REFUSED[code] is not None:
        assert message == REFUSED[code]


def test_all_exports_of_a_file_are_refused_together(refuse):
    code = "class A: ...\nclass B: ...\n__all__ = ['A', 'B', 'C']"
    assert [message[:10] for _, message in refuse(code)] == [
        "A is a cla",
        "B is a cla",
        "__all__ li",
    ]
