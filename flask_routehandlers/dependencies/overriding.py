"""Replace dependencies in tests.

A replacement is planned like any dependency, at the place of each definition of its name, and the
plans of all functions are made again with it. Requests of all threads read the plan of the moment,
so that nothing is compared while no test runs. A static handler that has a replaced dependency
neither reads nor fills the cache.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from threading import Lock
from typing import Any

from ..binding.model import Visible
from .model import Definition, Dependency, Function
from .planning import Scopes

#: Functions by the names of the dependencies that they replace.
Functions = Mapping[str, Function]

_lock = Lock()


@contextmanager
def overriding(scopes: Iterable[Scopes], functions: Functions) -> Iterator[None]:
    """Replace every definition of some names for the time of a block, in all threads.

    :param scopes: the dependencies of all trees of an app.
    :param functions: what takes their place. A function is called with what it names; its own
        name is the dependency that it replaces.
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


def _check(trees: Iterable[Scopes], functions: Functions) -> None:
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


def _change(trees: Iterable[Scopes], change: Callable[[list[Functions]], list[Functions]]) -> None:
    """Change what is overridden in all trees, or in none if something cannot be resolved."""
    with _lock:
        runs = []
        for tree in trees:
            overridden = _Overridden(tree, change(tree.overrides))
            for plan in tree.plans:
                asks = {name: overridden.make(each.definition) for name, each in plan.asks.items()}
                runs.append((plan, plan.prepare(asks)))
        for tree in trees:
            tree.overrides = change(tree.overrides)
        for plan, run in runs:
            plan.run = run


class _Overridden(Scopes):
    """The dependencies of a tree, some of them replaced.

    :param overrides: the functions. The last ones count; they can ask for those before.
    """

    def __init__(self, tree: Scopes, overrides: list[Functions]) -> None:
        super().__init__(tree.definitions, tree.failures, tree.imported, tree.below)
        self._tree = tree
        self.identities = dict(tree.identities)
        self.overrides = overrides

    def plan_dependency(self, definition: Definition) -> Dependency:
        """Return a dependency as it is, unless it asks for others now, or one takes its place."""
        dependency = self._tree.make(definition)
        asks = {name: self.make(each.definition) for name, each in dependency.asks.items()}
        if asks != dependency.asks:
            identity = self.identify(definition.function, asks)
            dependency = Dependency(definition, dependency.binding, asks, identity)
        for functions in self.overrides:
            if definition.name in functions:
                dependency = self._replace(dependency, functions[definition.name])
        return dependency

    def _replace(self, dependency: Dependency, function: Function) -> Dependency:
        """Return a function in the place of a dependency."""
        definition = dependency.definition
        types, imported = self.visible(definition.folders)
        visible = Visible({**types, definition.name: Any}, imported)
        binding = self.bind(definition, function, visible)
        asks = {}
        for argument in binding.dependencies:
            asks[argument] = dependency
            if argument != definition.name:
                asks[argument] = self.resolve(argument, definition.folders)
        return Dependency(definition, binding, asks, self.identify(function, asks))
