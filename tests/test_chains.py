"""Random trees with random middleware: around every handler runs the chain of its folders.

The expected chain is worked out here from the names of folders alone, and the oracle says which
file answers a path. Everything that ran is compared, in its order.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from io import BytesIO
from itertools import count, product
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from flask import Flask
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from flask_routehandlers import RouteHandlers, RouteHandlersError
from tests.oracle import answer
from tests.support import bare_app, path_for, write_files

#: ``{}`` is a name, a new one at each depth of the URL.
FOLDERS = ("users", "me", "7", "admin", "[{}]", "[{}=int]", "v[{}]", "[{}].json", "@[{}]")
GROUPS = ("(open)", "(admin)", "(v)")
CATCH_ALLS = ("[...{}]", "[[...{}]]")
WORDS = ("zzz", "7", "42", "me", "x.json", "@ann", "v2", "Admin", "a b", "é", "(open)", "..x")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY", "MADEUP")
HANDLED = [name for name in METHODS if name != "MADEUP"]

#: Exceptions that only middleware raises here. The app has a handler for the first; the second
#: is left to its handler for ``Exception``.
Stop, Crash = ProcessLookupError, ChildProcessError

PASSED, CRASHED, STOPPED, CAUGHT, EARLY = 200, 296, 297, 298, 299

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
    """The contents of a tree: routes with the methods that they handle, and middleware.

    :param broken: the folders whose middleware file cannot be used in debug mode.
    """

    routes: Mapping[str, frozenset[str]]
    middleware: Mapping[str, list[Function]]
    broken: frozenset[str]


# The expected chain: nothing of the package is used.


def chain(tree: Tree, route: str) -> list[str]:
    """Return the folders whose middleware a route has, outermost first."""
    names = route.split("/")
    above = {"", *("/".join(names[:n]) for n in range(1, len(names) + 1))}
    return sorted(above & tree.middleware.keys(), key=len)


def expectation(tree: Tree, route: str, method: str, *, debug: bool) -> tuple[list[str], int]:
    """Return what runs for a request, in its order, and the status of the answer."""
    folders = chain(tree, route)
    if debug and tree.broken.intersection(folders):
        return [], 500
    links = [
        (f"{folder}#{number}", function)
        for folder in folders
        for number, function in enumerate(tree.middleware[folder])
    ]
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
            return {"answers": EARLY, "raises": STOPPED, "crashes": CRASHED}[function.kind]
        status = go(depth + 1)
        if status == CRASHED:
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
    except Crash:
        return "", {caught}""",
    "answers": """if request.method in {methods}:
        return "", {early}
    response = {call}""",
    "raises": """if request.method in {methods}:
        raise Stop
    response = {call}""",
    "crashes": """if request.method in {methods}:
        raise Crash
    response = {call}""",
}


def definition(is_async: bool) -> str:
    """Return the keywords that define a function."""
    return "async def" if is_async else "def"


def middleware_file(folder: str, functions: list[Function], rng: random.Random) -> str:
    """Return a middleware file with these functions, as a function or as a list."""
    code = f"Stop, Crash = {Stop.__name__}, {Crash.__name__}\n"
    is_alone = len(functions) == 1 and rng.random() < 0.7
    for number, (kind, is_async, methods) in enumerate(functions):
        call = "await call_next()" if is_async else "call_next()"
        code += LINK.format(
            define=definition(is_async),
            function="middleware" if is_alone else f"f{number}",
            name=f"{folder}#{number}",
            back=f"/{folder}#{number}",
            act=ACTS[kind].format(call=call, methods=set(methods), caught=CAUGHT, early=EARLY),
        )
    names = ", ".join(f"f{number}" for number in range(len(functions)))
    return code if is_alone else f"{code}\nmiddleware = [{names}]\n"


def route_file(route: str, methods: frozenset[str], rng: random.Random) -> str:
    """Return a route file that handles these methods."""
    return "".join(
        HANDLER.format(
            define=definition(rng.random() < 0.02),
            method=method,
            name=f"{method} {route}",
            body=rng.choice(("''", "{}", "'', 200", "iter(['x'])")),
        )
        for method in sorted(methods)
    )


def random_app(tree: Tree, project: Path, seed: int, *, debug: bool) -> Flask:
    """Return an app that serves a tree; the seed decides what its description leaves open."""
    rng = random.Random(seed)
    files = {f"{r}/route.py": route_file(r, m, rng) for r, m in tree.routes.items()}
    for folder, functions in tree.middleware.items():
        code = middleware_file(folder, functions, rng)
        if debug and folder in tree.broken:
            code = rng.choice(
                ("1 / 0\n", "", "middleware = 3\n", "def middleware(missing): pass\n")
            )
        files[f"{folder}/middleware.py"] = code
    write_files(project, {f"app/api/{name.lstrip('/')}": code for name, code in files.items()})
    app = bare_app(project)
    app.debug = debug
    app.register_error_handler(Stop, lambda error: ("", STOPPED))
    app.register_error_handler(Exception, answer_anything)
    app.register_error_handler(RouteHandlersError, lambda error: ("", 500))
    app.register_error_handler(MethodNotAllowed, lambda error: ("", 405))
    RouteHandlers(app)
    return app


def answer_anything(error: Exception) -> Any:
    """Answer with a crash, unless the error has an answer."""
    return error if isinstance(error, HTTPException) else ("", CRASHED)


# Random trees.


def random_tree(rng: random.Random) -> Tree:
    """Return a tree with three routes or more."""
    number = rng.randint(3, 12)
    routes: dict[str, frozenset[str]] = {}
    taken: set[str] = set()
    while len(routes) < number:
        # Begin often within existing folders, so that routes share their middleware.
        names = rng.choice([*routes, ""]).split("/")
        names = [name for name in names[: rng.randint(0, len(names))] if name]
        for _ in range(rng.randint(0, 4)):
            depth = sum(name[0] != "(" for name in names)
            pool = GROUPS if rng.random() < 0.25 else FOLDERS
            names.append(rng.choice(pool).replace("{}", f"p{depth}"))
        names = names[: next((n for n, f in enumerate(names) if "..." in f), 7)]
        if rng.random() < 0.15:
            names.append(rng.choice(CATCH_ALLS).format("rest"))
        # One file for each URL: groups and the end of an optional catch-all add none.
        shown = "/".join(name for name in names if name[0] != "(")
        url = shown.replace("[[...rest]]", "").replace("[...rest]", "*").rstrip("/")
        urls = {url, f"{url}/*".lstrip("/")} if shown.endswith("]]") else {url}
        if not taken & urls:
            taken |= urls
            methods = rng.sample(HANDLED, rng.randint(1, 5))
            routes["/".join(names)] = frozenset(methods)
    above = {"/".join(r.split("/")[:n]) for r in routes for n in range(r.count("/") + 2)}
    places = [folder for folder in sorted(above) if rng.random() < 0.4]
    middleware = {
        folder: [random_function(rng) for _ in range(rng.choice((1, 1, 1, 1, 2, 3)))]
        for folder in places
    }
    broken = frozenset(rng.sample(places, rng.choice((0, 0, 1, 1, 2)) if len(places) > 3 else 0))
    return Tree(routes, middleware, broken)


def random_function(rng: random.Random) -> Function:
    """Return a middleware function, most often one that passes requests on."""
    kind = rng.choice((*["passes"] * 7, *["catches", "crashes"] * 3, "answers", "raises"))
    is_selective = kind in ("answers", "raises", "crashes")
    methods = rng.sample(METHODS, rng.randint(1, 4)) if is_selective else ()
    return Function(kind, rng.random() < 0.03, frozenset(methods))


def features(tree: Tree, route: str, method: str, ran: list[str], status: int) -> set[str]:
    """Return what a request went through, for the counts."""
    folders = chain(tree, route)
    functions = [function for folder in folders for function in tree.middleware[folder]]
    ways = {CAUGHT: "caught", EARLY: "early answer", STOPPED: "stopped", 500: "broken"}
    names = {method, ways.get(status, str(status)), f"{min(len(functions), 5)} functions"}
    names.add("handler" if ran and ran[len(ran) // 2][:1].isupper() else "no handler")
    if any(len(tree.middleware[folder]) > 1 for folder in folders):
        names.add("list")
    if any(folder.rpartition("/")[2].startswith("(") for folder in folders):
        names.add("of a group")
    names.update("async" if function.is_async else "sync" for function in functions)
    return names | ({"async in sync"} if {"async", "sync"} <= names else set())


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


def outcome(app: Flask, method: str, path: str) -> tuple[list[str], int]:
    """Return what ran for a request, and the status of its answer."""
    ran: list[str] = []
    statuses: list[str] = []
    raw = path.encode().decode("latin-1")
    environ = {**ENVIRON, "REQUEST_METHOD": method, "PATH_INFO": raw, "ran": ran}
    body = app.wsgi_app(environ, lambda status, headers, error=None: statuses.append(status))
    for _ in body:
        pass
    body.close()
    return ran, int(statuses[0][:3])


#: What each large run goes through at least, as a share of all requests.
SHARES = {
    **dict.fromkeys(METHODS, 0.1),
    "handler": 0.15,
    "no handler": 0.4,
    "200": 0.1,
    "204": 0.01,
    "404": 0.01,
    "405": 0.1,
    "caught": 0.012,
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
    [
        pytest.param(15, 200, id="3,000"),
        pytest.param(100, 200, id="20,000", marks=pytest.mark.ci),
        pytest.param(1250, 800, id="1,000,000", marks=pytest.mark.soak),
    ],
)
def test_random_trees_run_the_right_chains(examples, requests, tmp_path, record_property):
    counts: Counter[str] = Counter()
    for number in range(examples):
        rng = random.Random(number)
        tree = random_tree(rng)
        seed = rng.getrandbits(32)
        routes = {f"api/{route}": route for route in tree.routes}
        paths_each = -(-requests // (2 * len(routes) * len(METHODS)))
        paths = [path_for(rng, route, WORDS) for route in routes for _ in range(paths_each)]
        paths.append(f"{rng.choice(paths)}/")  # ends nowhere
        paths_of: dict[str | None, list[str]] = {}
        for path in paths:
            owner = answer([*routes], path)
            paths_of.setdefault(routes[owner[0]] if owner else None, []).append(path)
        for debug in (False, True):
            app = random_app(tree, tmp_path / f"random{next(_numbers)}", seed, debug=debug)
            for (route, ends), method in product(paths_of.items(), METHODS):
                expected: tuple[list[str], int] = [], 404
                names = {method, "404"}
                if route is not None:
                    expected = expectation(tree, route, method, debug=debug)
                    names = features(tree, route, method, *expected)
                for path in ends:
                    assert outcome(app, method, path) == expected, (tree, debug, method, path)
                    counts.update(names)
                    counts["requests"] += 1

    record_property("counts", dict(counts))
    assert counts["requests"] >= examples * requests
    if examples >= 100:
        shares = {name: counts[name] / counts["requests"] for name in SHARES}
        assert not [name for name, share in SHARES.items() if shares[name] < share], shares
