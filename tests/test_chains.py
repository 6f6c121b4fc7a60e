"""Random trees with random middleware: around every handler runs the chain of its own folders.

Which middleware files a route has is said once more here, from the names of folders alone; which
file answers a path is asked of the oracle. What ran is compared step by step.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from io import BytesIO
from itertools import count, product
from pathlib import Path
from typing import NamedTuple

import pytest
from flask import Flask
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st
from werkzeug.exceptions import MethodNotAllowed

from flask_routehandlers import RouteHandlers, RouteHandlersError
from tests.oracle import answer
from tests.support import SEEDED, bare_app, path_for, write_files

#: ``{}`` is a name, a new one at each depth of the URL.
FOLDERS = ("users", "me", "7", "admin", "[{}]", "[{}=int]", "v[{}]", "[{}].json", "@[{}]")
GROUPS = ("(open)", "(admin)", "(v)")
CATCH_ALLS = ("[...{}]", "[[...{}]]")
WORDS = ("zzz", "7", "42", "me", "x.json", "@ann", "v2", "Admin", "a b", "é", "(open)", "..x")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY", "MADEUP")
HANDLED = [name for name in METHODS if name != "MADEUP"]

#: What middleware raises, and nothing else here.
Stop = ProcessLookupError

PASSED, CAUGHT, EARLY, STOPPED = 200, 298, 299, 297

_numbers = count()


class Function(NamedTuple):
    """One middleware function.

    :param kind: what it does: ``passes``, ``catches`` what is raised below, or, for some methods,
        ``answers`` or ``raises``.
    """

    kind: str
    is_async: bool
    methods: frozenset[str]


class Tree(NamedTuple):
    """What is in the folders of a tree: routes with the methods that they handle, and middleware.

    :param broken: the folders whose middleware file cannot be used in debug mode.
    """

    routes: Mapping[str, frozenset[str]]
    middleware: Mapping[str, list[Function]]
    broken: frozenset[str]


# The expected chain: nothing of the package is used.


def chain(tree: Tree, route: str) -> list[str]:
    """The folders whose middleware a route has, outermost first."""
    names = route.split("/")
    above = {"", *("/".join(names[:n]) for n in range(1, len(names) + 1))}
    return sorted(above & tree.middleware.keys(), key=len)


def expected(tree: Tree, route: str, method: str, *, debug: bool) -> tuple[list[str], int]:
    """What runs, in its order, and the status of the answer."""
    folders = chain(tree, route)
    if debug and tree.broken.intersection(folders):
        return [], 500
    links = [(f"{f}#{n}", one) for f in folders for n, one in enumerate(tree.middleware[f])]
    ran: list[str] = []

    def go(depth: int) -> int:
        if depth == len(links):
            handled = "GET" if method == "HEAD" and "HEAD" not in tree.routes[route] else method
            if handled in tree.routes[route]:
                ran.append(f"{handled} {route}")
                return PASSED
            return 204 if method == "OPTIONS" else 405
        name, function = links[depth]
        ran.append(name)
        if method in function.methods:
            return {"answers": EARLY, "raises": STOPPED}[function.kind]
        status = go(depth + 1)
        if status in (STOPPED, 405):
            return CAUGHT if function.kind == "catches" else status
        ran.append(f"/{name}")
        return status

    return ran, go(0)


# The same as files.

HANDLER = """
{define} {method}(request):
    request.environ["ran"].append({name!r})
    return {body}
"""
LINK = """
{define} {function}(request, call_next):
    ran = request.environ["ran"]
    ran.append({name!r})
    {act}
    ran.append({back!r})
    return response
"""
ACTS = {
    "passes": "response = {call}",
    "catches": """try:
        response = {call}
    except (Stop, HTTPException):
        return "", {caught}""",
    "answers": """if request.method in {methods}:
        return "", {early}
    response = {call}""",
    "raises": """if request.method in {methods}:
        raise Stop
    response = {call}""",
}


def define(is_async: bool) -> str:
    return "async def" if is_async else "def"


def middleware_file(folder: str, functions: list[Function], rng: random.Random) -> str:
    code = f"from werkzeug.exceptions import HTTPException\nStop = {Stop.__name__}\n"
    alone = len(functions) == 1 and rng.random() < 0.7
    for number, (kind, is_async, methods) in enumerate(functions):
        call = "await call_next()" if is_async else "call_next()"
        code += LINK.format(
            define=define(is_async),
            function="middleware" if alone else f"f{number}",
            name=f"{folder}#{number}",
            back=f"/{folder}#{number}",
            act=ACTS[kind].format(call=call, methods=set(methods), caught=CAUGHT, early=EARLY),
        )
    names = ", ".join(f"f{number}" for number in range(len(functions)))
    return code if alone else f"{code}\nmiddleware = [{names}]\n"


def route_file(route: str, methods: frozenset[str], rng: random.Random) -> str:
    return "".join(
        HANDLER.format(
            define=define(rng.random() < 0.02),
            method=method,
            name=f"{method} {route}",
            body=rng.choice(("''", "{}", "'', 200", "iter(['x'])")),
        )
        for method in sorted(methods)
    )


def app_of(tree: Tree, project: Path, seed: int, *, debug: bool) -> Flask:
    rng = random.Random(seed)
    files = {f"{r}/route.py": route_file(r, m, rng) for r, m in tree.routes.items()}
    for folder, functions in tree.middleware.items():
        code = middleware_file(folder, functions, rng)
        if debug and folder in tree.broken:
            code = rng.choice(
                ("1 / 0\n", "", "middleware = 3\n", "def middleware(nobody): pass\n")
            )
        files[f"{folder}/middleware.py"] = code
    write_files(project, {f"app/api/{name.lstrip('/')}": code for name, code in files.items()})
    app = bare_app(project)
    app.debug = debug
    app.register_error_handler(Stop, lambda error: ("", STOPPED))
    app.register_error_handler(RouteHandlersError, lambda error: ("", 500))
    app.register_error_handler(MethodNotAllowed, lambda error: ("", 405))
    RouteHandlers(app)
    return app


# Random trees.


@st.composite
def trees(draw: st.DrawFn) -> Tree:
    rng = draw(st.randoms(use_true_random=True))
    routes: dict[str, frozenset[str]] = {}
    taken: set[str] = set()
    for _ in range(draw(st.integers(4, 14))):
        # Begin often within what there is already, so that folders share their middleware.
        names = rng.choice([*routes, ""]).split("/")
        names = [name for name in names[: rng.randint(0, len(names))] if name]
        for _ in range(rng.randint(0, 4)):
            depth = sum(name[0] != "(" for name in names)
            pool = GROUPS if rng.random() < 0.25 else FOLDERS
            names.append(rng.choice(pool).replace("{}", f"p{depth}"))
        names = names[: next((n for n, f in enumerate(names) if "..." in f), 7)]
        if rng.random() < 0.15:
            names.append(rng.choice(CATCH_ALLS).format("rest"))
        # One file for each URL: a group, and the end of an optional catch-all, is no other.
        shown = "/".join(name for name in names if name[0] != "(")
        url = shown.replace("[[...rest]]", "").replace("[...rest]", "*").rstrip("/")
        urls = {url, f"{url}/*".lstrip("/")} if shown.endswith("]]") else {url}
        if not taken & urls:
            taken |= urls
            methods = rng.sample(HANDLED, rng.randint(1, 5))
            routes["/".join(names)] = frozenset(methods)
    assume(len(routes) > 2)
    above = {"/".join(r.split("/")[:n]) for r in routes for n in range(r.count("/") + 2)}
    places = [folder for folder in sorted(above) if rng.random() < 0.4]
    middleware = {
        folder: [function(rng) for _ in range(rng.choice((1, 1, 1, 1, 2, 3)))] for folder in places
    }
    broken = frozenset(rng.sample(places, rng.choice((0, 0, 1, 1, 2)) if len(places) > 3 else 0))
    return Tree(routes, middleware, broken)


def function(rng: random.Random) -> Function:
    kind = rng.choice((*["passes"] * 7, "catches", "answers", "raises"))
    methods = rng.sample(METHODS, rng.randint(1, 4)) if kind in ("answers", "raises") else ()
    return Function(kind, rng.random() < 0.03, frozenset(methods))


def kinds(tree: Tree, route: str, method: str, ran: list[str], status: int) -> set[str]:
    """What a request went through, for the count."""
    folders = chain(tree, route)
    functions = [one for folder in folders for one in tree.middleware[folder]]
    ways = {CAUGHT: "caught", EARLY: "early answer", STOPPED: "stopped", 500: "broken"}
    found = {method, ways.get(status, str(status)), f"{min(len(functions), 5)} functions"}
    found.add("handler" if ran and ran[len(ran) // 2][:1].isupper() else "no handler")
    if any(len(tree.middleware[folder]) > 1 for folder in folders):
        found.add("list")
    if any(folder.rpartition("/")[2].startswith("(") for folder in folders):
        found.add("of a group")
    found.update({True: "async", False: "sync"}[one.is_async] for one in functions)
    return found | ({"async in sync"} if {"async", "sync"} <= found else set())


ENVIRON = {
    "SCRIPT_NAME": "",
    "QUERY_STRING": "",
    "SERVER_NAME": "localhost",
    "SERVER_PORT": "80",
    "HTTP_HOST": "localhost",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "wsgi.version": (1, 0),
    "wsgi.url_scheme": "http",
    "wsgi.input": BytesIO(),
    "wsgi.errors": BytesIO(),
    "wsgi.multithread": False,
    "wsgi.multiprocess": False,
    "wsgi.run_once": False,
}


def ask(app: Flask, method: str, path: str) -> tuple[list[str], int]:
    """What ran for a request, and the status of its answer."""
    ran: list[str] = []
    told: list[str] = []
    raw = path.encode().decode("latin-1")
    environ = {**ENVIRON, "REQUEST_METHOD": method, "PATH_INFO": raw, "ran": ran}
    body = app.wsgi_app(environ, lambda status, headers, error=None: told.append(status))
    for _ in body:
        pass
    body.close()
    return ran, int(told[0][:3])


#: What each run goes through at least, as a share of all requests.
LEAST = {
    **dict.fromkeys(METHODS, 0.1),
    "handler": 0.15,
    "no handler": 0.4,
    "200": 0.1,
    "204": 0.01,
    "404": 0.01,
    "405": 0.1,
    "caught": 0.02,
    "early answer": 0.02,
    "stopped": 0.02,
    "broken": 0.02,
    "async": 0.03,
    "async in sync": 0.02,
    "list": 0.2,
    "of a group": 0.1,
    **{f"{n} functions": 0.05 for n in range(6)},
}


@pytest.mark.parametrize(
    ("examples", "requests"),
    [(100, 200), pytest.param(1250, 800, marks=pytest.mark.soak)],
    ids=["20,000", "1,000,000"],
)
def test_around_every_handler_runs_the_chain_of_its_folders(
    examples, requests, tmp_path_factory, record_property
):
    folder = tmp_path_factory.mktemp("chains")
    counts: Counter[str] = Counter()

    @settings(
        SEEDED,
        max_examples=examples,
        phases=[Phase.generate],  # the tree is told; making it smaller would take minutes
    )
    @given(trees(), st.integers(0, 2**32))
    def compare(tree: Tree, seed: int) -> None:
        rng = random.Random(seed)
        routes = {f"api/{route}": route for route in tree.routes}
        each = -(-requests // (2 * len(routes) * len(METHODS)))
        paths = [path_for(rng, route, WORDS) for route in routes for _ in range(each)]
        paths.append(f"{rng.choice(paths)}/")  # ends nowhere
        owners = [(path, answer(routes, path)) for path in paths]
        for debug in (False, True):
            app = app_of(tree, folder / f"random{next(_numbers)}", seed, debug=debug)
            for route, method in product([*tree.routes, None], METHODS):
                wanted: tuple[list[str], int] = [], 404
                went = {method, "404"}
                if route is not None:
                    wanted = expected(tree, route, method, debug=debug)
                    went = kinds(tree, route, method, *wanted)
                for path, found in owners:
                    if (routes[found[0]] if found else None) == route:
                        assert ask(app, method, path) == wanted, (tree, debug, method, path)
                        counts.update(went)
                        counts["requests"] += 1

    compare()
    print(dict(counts))
    record_property("counts", dict(counts))
    assert counts["requests"] >= examples * requests
    for kind, share in LEAST.items():
        assert counts[kind] >= share * counts["requests"], kind
