"""Random trees and random paths: the app and the oracle name the same file and parameters."""

from __future__ import annotations

import random
from collections import Counter
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from werkzeug.exceptions import NotFound

from flask_routehandlers import RouteHandlers, RouteTreeError
from tests.oracle import answer, fit, places
from tests.support import SEEDED, bare_app, path_for, write_files

#: Names that parameters of every kind match too, so that folders compete for a segment.
STATICS = ("users", "me", "7", "1.5", "v7", "v-7", "v7.json", "r-7.csv", "me-to-7", "é", "x.js")
#: ``{}`` is a name, a new one at each depth. No two of the same length and kind of parameters
#: in their text: between such the contract names no winner.
DYNAMICS = ("[{}]", "[{}=int]", "[{}=float]", "[{}=uuid]", "v[{}]", "v[{}=int]", "v-[{}]",
            "m[{}]e", "[{}].js", "[{}].json", "[{}]-to-[other_{}]", "r-[{}=int].csv")  # fmt: skip
CATCH_ALLS = ("[...{}]", "[[...{}]]")
#: Segments that no tree has as a folder, and what converters take or nearly take.
WORDS = ("zzz", "0", "007", "٣", "-7", "2.0", "2.", "v", "v-", ".json", "a-to-b-to-c", "r-9.csv",
         "12345678-1234-1234-1234-1234567890aB", "12345678-1234-1234-1234-1234567890a", "日本",
         "e\u0301", "USERS", "a b", "a+b", "%41", "...", "x.json.json", "r-٣.csv")  # fmt: skip
PREFIXES = {"": "", "/api": "api", "/<lang>/v1": "[lang]/v1"}

NAMES = st.sampled_from(STATICS + DYNAMICS)
FOLDERS = [st.lists(NAMES, unique=True, max_size=5 - depth) for depth in range(6)]
ENDS = st.sampled_from(("file", "nothing", *CATCH_ALLS))

_numbers = count()


@st.composite
def trees(draw: st.DrawFn) -> tuple[str, ...]:
    """The folders of the route files of a tree without conflicts; at least one."""

    def below(path: tuple[str, ...], depth: int) -> list[tuple[str, ...]]:
        folders = draw(FOLDERS[min(depth, 5)])
        found = [
            route
            for folder in folders
            for route in below((*path, folder.replace("{}", f"p{depth}")), depth + 1)
        ]
        last = draw(ENDS)
        if last in CATCH_ALLS:
            found.append((*path, last.format("rest")))
        # A path that nothing ends would not exist.
        with_file = last == "file" or (last == CATCH_ALLS[0] and draw(st.booleans()))
        return [*found, path] if with_file or not found else found

    def grouped(route: tuple[str, ...]) -> str:
        n = draw(st.integers(0, 2 * len(route) + 1)) - 1
        return "/".join((*route[:n], "(group)", *route[n:]) if 0 <= n <= len(route) else route)

    routes = below((), 0)
    assume(2 < len(routes) < 40)
    return tuple(grouped(route) for route in routes)


def app_of(routes: tuple[str, ...], url_prefix: str, folder: Path) -> Any:
    handler = "def GET(params):\n    return {'route': %r, 'params': params}\n"
    project = folder / f"random{next(_numbers)}"
    write_files(project, {f"app/api/{r}/route.py": handler % r for r in routes})
    app = bare_app(project)
    RouteHandlers(app, url_prefix=url_prefix)
    return app


def endpoint(route: str) -> str:
    folders = [f for f in route.split("/") if f and f[0] != "("]
    shown = (f.replace("[...", "[*").replace(".", "%2E") for f in folders)
    return "api./" + "/".join(shown)


def changed(rng: random.Random, path: str, words: list[str]) -> str:
    """The path with one segment replaced, left out, added or doubled."""
    segments = path.split("/")[1:] if path != "/" else []
    n = rng.randint(0, len(segments))
    word, here = rng.choice(words), segments[n : n + 1]
    new = rng.choice(([word], [word], [], [*here, word], here * 2))
    return "/" + "/".join((*segments[:n], *new, *segments[n + 1 :]))


def kinds(routes: list[str], path: str, route: str, parameters: dict[str, Any]) -> set[str]:
    """Return what a match consists of, to be counted."""
    ranks = [rank for rank, _ in places(route)]
    names = ("static", "text", "converter", "slug", "catch-all", "optional catch-all")
    found = {names[rank[0]] for rank in ranks}
    if "optional catch-all" in found and [] in parameters.values():
        found.add("optional catch-all with none")
    for other in routes:
        theirs = places(other)
        for n, segment in enumerate(path.split("/")[1 : 1 + min(len(ranks), len(theirs))]):
            rank, pieces = theirs[n]
            if rank < ranks[n] and fit(pieces, segment) is not None:
                return found | {"backtracking"}
            if places(route)[n] != theirs[n]:
                break
    return found


#: The least that a run has of each kind, as a share of all paths.
MINIMUM = {
    "static": 0.3,
    "text": 0.15,
    "converter": 0.07,
    "slug": 0.07,
    "catch-all": 0.1,
    "optional catch-all": 0.1,
    "optional catch-all with none": 0.01,
    "backtracking": 0.05,
    "miss": 0.1,
    "over the whole app": 0.03,
}


@pytest.mark.parametrize(
    ("examples", "paths"),
    [
        (25, 120),
        pytest.param(160, 625, marks=pytest.mark.ci),
        pytest.param(1000, 1000, marks=pytest.mark.soak),
    ],
    ids=["3,000", "100,000", "1,000,000"],
)
def test_random_paths_find_the_right_file(examples, paths, tmp_path_factory, record_property):
    folder = tmp_path_factory.mktemp("precedence")
    counts: Counter[str] = Counter()

    @settings(SEEDED, max_examples=examples)
    @given(trees(), st.sampled_from(sorted(PREFIXES)), st.integers(0, 2**32))
    def compare(tree: tuple[str, ...], url_prefix: str, seed: int) -> None:
        rng = random.Random(seed)
        app = app_of(tree, url_prefix, folder)
        adapter, client = app.url_map.bind(""), app.test_client()
        prefix = f"{PREFIXES[url_prefix]}/"
        routes = [f"{prefix}{route}" for route in tree]
        folders = [folder for route in tree for folder in route.split("/")]
        words = [*WORDS, *(folder for folder in folders if folder in STATICS)]
        for n in range(paths):
            path = path_for(rng, rng.choice(routes), words)
            for _ in range(rng.choice((0, 1, 1, 2))):
                path = changed(rng, path, words)
            expected = answer(routes, path)
            try:
                found = adapter.match(path, method="GET")
            except NotFound:
                found = None
            wanted = expected and (endpoint(expected[0].removeprefix(prefix)), expected[1])
            assert repr(found) == repr(wanted), (tree, url_prefix, path)
            counts["matches"] += 1
            counts.update(kinds(routes, path, *expected) if expected else {"miss"})
            if n % 20 == 0:
                response = client.get(quote(path))
                assert response.status_code == (200 if expected else 404), (tree, path)
                if expected:
                    answered = {"route": expected[0].removeprefix(prefix), "params": expected[1]}
                    assert response.json == app.json.loads(app.json.dumps(answered)), (tree, path)
                counts["over the whole app"] += 1

    compare()
    print(dict(counts))
    record_property("counts", dict(counts))
    assert counts["matches"] >= examples * paths
    for kind, share in MINIMUM.items():
        assert counts[kind] >= share * counts["matches"], kind


@pytest.mark.parametrize("examples", [10, pytest.param(60, marks=pytest.mark.ci)])
def test_a_second_file_at_a_place_is_refused(tmp_path_factory, examples):
    @settings(SEEDED, max_examples=examples)
    @given(trees(), st.integers(0, 2**32))
    def refuse(tree: tuple[str, ...], seed: int) -> None:
        rng = random.Random(seed)
        folders = rng.choice(tree).split("/")
        twins = [["(twin)", *folders]]
        for n, folder in enumerate(folders):
            if "[p" in folder:
                twins.append([*folders[:n], folder.replace("[p", "[twin"), *folders[n + 1 :]])
        twin = "/".join(filter(None, rng.choice(twins)))
        with pytest.raises(RouteTreeError) as caught:
            app_of((*tree, twin), "/api", tmp_path_factory.mktemp("conflict"))
        assert any(f"{twin}/route.py" in problem.files for problem in caught.value.problems)

    refuse()
