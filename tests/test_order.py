"""The order in which the file system lists a folder changes nothing."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from werkzeug.exceptions import NotFound

from flask_routehandlers import RouteHandlers, RouteHandlersWarning, RouteTreeError
from tests.support import ECHO, bare_app, path_for

ROUTES = (
    "", "users", "users/me", "users/[id=int]", "users/[id=uuid]", "users/[name]",
    "users/[...rest]", "users/[name]/posts", "users/[name]/posts/[slug]", "files/[name].json",
    "files/v[version=int]", "files/v[version]", "files/[...path]", "docs/[[...path]]",
    "(a)/about", "(b)/contact", "(b)/(c)/team", "sitemap.xml", ".well-known/x", "%5Fraw", "é",
    "z/y/x/w",
)  # fmt: skip
MIDDLEWARE = ("", "users", "users/[name]", "(b)")
#: Near misses are warned of; other files, private and empty folders are passed over.
NEAR_MISSES = ("routes.py", "z/rout.py", "users/routes.py", "files/routes.py", "docs/rout.py")
OTHERS = (*NEAR_MISSES, "helpers.py", "_lib/route.py", "empty/readme.txt")

PASS_ON = "def middleware(call_next):\n    return call_next()\n"

BROKEN_NAMES = (
    "posts/[id]", "posts/[name]", "(a)/x", "(b)/x", "(b)/(c)/x", "Users", "users", "files",
    "files/[[...p]]", "docs/[...a]", "docs/[[...b]]", "[post-id]", "[a][b]", "@slot/x", "%41",
    "n/[id]/m/[id]", "k/[x=nope]", "c/[...all]/d", "a.b", "a_b", "v[a]", "v[b]/x",
)  # fmt: skip
BROKEN_FILES = {
    "none": "",
    "lower": "def get(): ...\n",
    "typo": "def PACTH(): ...\n",
    "value": "GET = 3\n",
    "import": "import nothing_of_this_name\n",
    "syntax": "def GET(:\n",
    "exit": "raise SystemExit(3)\n",
    "unknown": "def GET(nobody): ...\ndef POST(somebody): ...\n",
    "[id]": "def GET(id: int): ...\ndef PUT(id: int): ...\n",
    "good": ECHO,
}

Reorder = Callable[[list[Any]], list[Any]]


def by_name(entries: list[Any]) -> list[Any]:
    return sorted(entries, key=lambda entry: getattr(entry, "name", entry))


def shuffled(seed: int) -> Reorder:
    return lambda entries: random.Random(seed).sample(entries, len(entries))


ORDERS: dict[str, Reorder] = {
    "by name": lambda entries: sorted(entries, key=lambda e: getattr(e, "name", e)),
    "by name, reversed": lambda entries: sorted(entries, key=lambda e: getattr(e, "name", e))[
        ::-1
    ],
    **{f"shuffled {seed}": shuffled(seed) for seed in range(6)},
}


#: Two of them in a plain run.
OTHER_ORDERS = [
    order if n < 2 else pytest.param(order, marks=pytest.mark.ci)
    for n, order in enumerate(list(ORDERS)[1:])
]


class Listing:
    """What ``os.scandir`` gives, in another order."""

    def __init__(self, entries: list[Any]) -> None:
        self.entries = iter(entries)

    def __iter__(self) -> Iterator[Any]:
        return self.entries

    def __next__(self) -> Any:
        return next(self.entries)

    def __enter__(self) -> Listing:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        pass


@contextmanager
def listing(reorder: Reorder) -> Iterator[None]:
    """Folders are listed in the order that ``reorder`` makes of their entries."""
    scandir, listdir = os.scandir, os.listdir

    def reordered(path: Any = ".") -> Listing:
        with scandir(path) as entries:
            return Listing(reorder(list(entries)))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "scandir", reordered)
        patch.setattr(os, "listdir", lambda path=".": reorder(listdir(path)))
        yield


def paths() -> list[str]:
    rng = random.Random("paths")
    words = ["me", "users", "7", "v7", "x.json", "about", "posts", "zzz", "é"]
    return ["/api" + path_for(rng, rng.choice(ROUTES), words).rstrip("/") for _ in range(2000)]


def described(app: Flask) -> dict[str, Any]:
    """All of an app's map, in its order, and what it makes of some paths."""
    adapter = app.url_map.bind("")

    def match(path: str) -> Any:
        try:
            return adapter.match(path)
        except NotFound:
            return None

    return {
        "rules": [(r.rule, r.endpoint, sorted(r.methods or ())) for r in app.url_map.iter_rules()],
        "views": list(app.view_functions),
        "matches": [match(path) for path in paths()],
    }


@pytest.fixture
def served_in(tree, capsys):
    """Serve a new tree with its folders listed in an order: the app, the warnings, the output."""

    def serve(order: str) -> tuple[dict[str, Any], list[str], list[str]]:
        files = {f"{route}/route.py".lstrip("/"): f"print({route!r})\n{ECHO}" for route in ROUTES}
        files |= {
            f"{folder}/middleware.py".lstrip("/"): f"print({folder!r}, 'middleware')\n{PASS_ON}"
            for folder in MIDDLEWARE
        }
        project = tree(files | dict.fromkeys(OTHERS, "text\n"))
        app = bare_app(project)
        with pytest.warns(RouteHandlersWarning) as warned, listing(ORDERS[order]):
            RouteHandlers(app)
        warnings = [str(w.message).replace(str(project), "") for w in warned]
        return described(app), warnings, capsys.readouterr().out.split("\n")

    return serve


@pytest.mark.parametrize("order", OTHER_ORDERS)
def test_the_listing_order_changes_no_served_tree(served_in, order):
    found, warnings, loaded = served_in(order)
    by_name = served_in("by name")
    assert found == by_name[0]
    assert warnings == by_name[1]
    assert loaded == by_name[2]
    # There is something to compare.
    assert len(found["rules"]) == len(ROUTES) + 1
    assert len(found["matches"]) - found["matches"].count(None) > 1000
    assert len(warnings) == len(NEAR_MISSES)
    assert len(list(filter(None, loaded))) == len(ROUTES) - 1 + len(MIDDLEWARE)


@pytest.mark.parametrize("order", OTHER_ORDERS)
@pytest.mark.parametrize(
    ("files", "least"),
    [({f"{route}/route.py": ECHO for route in BROKEN_NAMES}, 12),
     ({f"{route}/route.py": content for route, content in BROKEN_FILES.items()}, 8)],
    ids=["names", "files"],
)  # fmt: skip
def test_the_listing_order_changes_no_problem(tree, files, least, order):
    def problems(order: str) -> str:
        project = tree(files)
        with pytest.raises(RouteTreeError) as caught, listing(ORDERS[order]):
            RouteHandlers(bare_app(project))
        assert len(caught.value.problems) >= least
        return str(caught.value).replace(str(project), "")

    assert problems(order) == problems("by name")


def test_the_patched_listing_has_another_order(tmp_path):
    for name in "abcdef":
        (tmp_path / name).mkdir()
    orders = set()
    for reorder in ORDERS.values():
        with listing(reorder), os.scandir(tmp_path) as entries:
            orders.add("".join(entry.name for entry in entries))
            assert sorted(os.listdir(tmp_path)) == list("abcdef")
    assert len(orders) == len(ORDERS)
