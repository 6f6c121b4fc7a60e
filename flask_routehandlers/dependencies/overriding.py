"""Replace dependencies in tests.

A replacement is planned like any dependency, at the place of each definition of its name, and the
plans of all functions are made again with it. Requests of all threads read the plan of the moment,
so that nothing is compared while no test runs. A static handler that has a replaced dependency
neither reads nor fills the cache.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from difflib import get_close_matches
from threading import Lock
from typing import Any

from ..binding.model import Visible
from .calling import plan_call
from .model import Definition, Dependency, Run
from .planning import Scopes, check_cycle, make_dependency

Function = Callable[..., Any]

_lock = Lock()


@contextmanager
def overriding(scopes: Iterable[Scopes], functions: Mapping[str, Function]) -> Iterator[None]:
    """Replace every definition of some names for the time of a block, in all threads.

    :param scopes: the dependencies of all trees of an app.
    :param functions: what takes their place, by name. A function is called with what it names;
        its own name is the dependency that it replaces.
    :raises LookupError: for a name that no tree has.
    :raises TypeError: for a value that is not a function.
    """
    trees = list(scopes)
    _check(trees, functions)
    _change(trees, lambda overrides: [*overrides, functions])
    try:
        yield
    finally:
        _change(trees, lambda overrides: [each for each in overrides if each is not functions])


def _check(trees: Iterable[Scopes], functions: Mapping[str, Function]) -> None:
    """Refuse names that no tree has, and values that cannot be called."""
    names = {definition.name for tree in trees for definition in tree.planned}
    for name, function in functions.items():
        if name not in names:
            close = get_close_matches(name, names, n=1)
            guess = f" Did you mean {close[0]!r}?" if close else ""
            raise LookupError(f"No dependencies.py defines {name!r}.{guess}")
        if not callable(function):
            raise TypeError(
                f"override() got {function!r} for {name}, which is not a function. "
                f"Write {name}=lambda: ..."
            )


def _change(
    trees: Iterable[Scopes],
    change: Callable[[list[Mapping[str, Function]]], list[Mapping[str, Function]]],
) -> None:
    """Change what is overridden in all trees, or in none if something cannot be resolved."""
    with _lock:
        changes = []
        for tree in trees:
            overrides = change(tree.overrides)
            changes.append((tree, overrides, _Overridden(tree, overrides).runs()))
        for tree, overrides, runs in changes:
            tree.overrides = overrides
            for plan, current in zip(tree.plans, runs, strict=True):
                plan.run = current


class _Overridden:
    """The dependencies of a tree, some of them replaced.

    :param overrides: the functions by name. The last ones count; they can ask for those before.
    """

    def __init__(self, tree: Scopes, overrides: list[Mapping[str, Function]]) -> None:
        self._tree = tree
        self._overrides = overrides
        self._known: dict[Dependency, Dependency] = {}
        self._identities: dict[object, object] = {}

    def runs(self) -> list[Run]:
        """Return what runs in each plan of the tree."""
        runs = []
        for plan in self._tree.plans:
            asks = {name: self._find(dependency) for name, dependency in plan.asks.items()}
            runs.append(plan.prepare(asks))
        return runs

    def _find(self, original: Dependency, above: tuple[Definition, ...] = ()) -> Dependency:
        """Return what takes the place of a dependency, or the same if nothing does.

        :param above: the definitions that lead to it, for cycles.
        """
        if original in self._known:
            return self._known[original]
        definition = original.definition
        check_cycle(definition, above)
        above = (*above, definition)
        asks = {name: self._find(inner, above) for name, inner in original.asks.items()}
        dependency = original
        if asks != original.asks:
            identities = {name: inner.identity for name, inner in asks.items()}
            call = plan_call(original.binding, identities)
            dependency = replace(original, asks=asks, call=call)
        for functions in self._overrides:
            if definition.name in functions:
                dependency = self._replace(dependency, functions[definition.name], above)
        self._known[original] = dependency
        return dependency

    def _replace(
        self, dependency: Dependency, function: Function, above: tuple[Definition, ...]
    ) -> Dependency:
        """Return a function in the place of a dependency."""
        definition = dependency.definition
        types, imported = self._tree.visible(definition.folders)
        visible = Visible({**types, definition.name: Any}, imported)
        binding = self._tree.bind(definition, function, visible)
        asks = {}
        for argument in binding.dependencies:
            if argument == definition.name:
                asks[argument] = dependency
            else:
                original = self._tree.resolve(argument, definition.folders)
                asks[argument] = self._find(original, above)
        replacement = make_dependency(definition, function, binding, asks, self._identities)
        return replace(replacement, is_overridden=True)
