"""Random trees with random dependencies do what an oracle says: what runs, and what is undone."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flask_routehandlers import RouteHandlers
from tests.dependencies.acting import FAILURES, SCRIPT, Function, HandledError, Tree
from tests.dependencies.oracle import expect
from tests.dependencies.support import take_log
from tests.support import SEEDED, bare_app, write_files

NAMES = "abcd"


@st.composite
def trees(draw: st.DrawFn) -> Tree:
    """A tree of up to three folders. Each function asks for some names that it sees."""
    folders: list[dict[str, Function]] = []
    middleware: list[list[Function]] = []
    seen: list[str] = []

    def asks(names: list[str]) -> tuple[str, ...]:
        return tuple(draw(st.lists(st.sampled_from(names), unique=True))) if names else ()

    for number in range(draw(st.integers(1, 3))):
        own = draw(st.lists(st.sampled_from(NAMES), unique=True))
        folder: dict[str, Function] = {}
        for index, name in enumerate(own):
            # Not those that follow in the same folder; its own name is an outer one.
            visible = [each for each in {*seen, *own[:index]} if each not in own[index + 1 :]]
            visible = [each for each in sorted(visible) if each != name or each in seen]
            folder[name] = Function(
                f"{number}.{name}", asks(visible), draw(st.booleans()), draw(st.booleans())
            )
        folders.append(folder)
        seen = sorted({*seen, *own})
        middleware.append(
            [
                Function(f"m{number}{index}", asks(seen), draw(st.booleans()))
                for index in range(draw(st.integers(0, 2)))
            ]
        )
    return Tree(folders, middleware, Function("GET", asks(seen), draw(st.booleans())))


def scripts(tree: Tree) -> st.SearchStrategy[dict[str, str]]:
    """Scripts for a request: nothing special, or failures at some steps."""
    raised = list(FAILURES)
    returned = ["return http", "return redirect"]  # others are values
    choices: dict[str, list[str]] = {
        "GET": [*raised, *returned],
        "GET answers": ["conflict"],
    }
    for folder in tree.dependencies:
        for function in folder.values():
            choices[f"{function.name} begin"] = [*raised, *returned]
            if function.is_generator:
                choices[f"{function.name} swallows"] = ["yes"]
                for step in ("commit", "rollback", "end"):
                    choices[f"{function.name} {step}"] = raised
    for functions in tree.middleware:
        for function in functions:
            choices[f"{function.name} answers"] = ["early", "late"]
            choices[f"{function.name} before"] = raised
            choices[f"{function.name} after"] = raised
    steps = st.lists(st.sampled_from(sorted(choices)), max_size=4, unique=True)
    return steps.flatmap(
        lambda chosen: st.fixed_dictionaries({s: st.sampled_from(choices[s]) for s in chosen})
    )


def check(data: st.DataObject, requests: int) -> None:
    """Compare requests to a random tree with the oracle."""
    tree = data.draw(trees())
    with tempfile.TemporaryDirectory() as folder:
        write_files(Path(folder, "app/api"), tree.files())
        app = bare_app(Path(folder))
        app.logger.disabled = True
        app.register_error_handler(HandledError, lambda error: ("handled", 418))
        RouteHandlers(app)
        client = app.test_client()
        url = "/api" + "".join(f"/f{n}" for n in range(len(tree.dependencies) - 1))
        possible = scripts(tree)
        for _ in range(requests):
            script = data.draw(possible)
            SCRIPT.clear()
            SCRIPT.update(script)
            status = client.get(url).status_code
            assert (status, take_log()) == expect(tree, script)


@settings(SEEDED, max_examples=25)
@given(st.data())
def test_random_trees_do_what_the_oracle_says(data):
    check(data, 8)


@pytest.mark.ci
@settings(SEEDED, max_examples=200)
@given(st.data())
def test_20000_requests_do_what_the_oracle_says(data):
    check(data, 100)


@pytest.mark.soak
@settings(SEEDED, max_examples=5000, derandomize=False)
@given(st.data())
def test_500000_requests_do_what_the_oracle_says(data):
    check(data, 100)
