"""Replace dependencies in tests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, replace
from difflib import get_close_matches
from typing import Any

from ..binding.model import Visible
from .model import Dependency
from .planning import Definition, Scopes, make_dependency

Function = Callable[..., Any]


@contextmanager
def overriding(scopes: Iterable[Scopes], functions: Mapping[str, Function]) -> Iterator[None]:
    """Replace every definition of some names for the time of a block, in all threads.

    :param scopes: the dependencies of all trees of an app.
    :param functions: what takes their place, by name. A function is called with what it names;
        its own name is the dependency that it replaces.
    :raises LookupError: for a name that no tree has.
    """
    trees = list(scopes)
    _check_names(trees, functions)
    saved: list[tuple[Dependency, Dependency]] = []
    for tree in trees:
        for definition, dependency in list(tree.planned.items()):
            if definition.name in functions:
                original = replace(dependency)
                saved.append((dependency, original))
                replacement = _replace(tree, definition, functions[definition.name], original)
                _assign(dependency, replacement)
    _update_plans(trees)
    try:
        yield
    finally:
        for dependency, original in reversed(saved):
            _assign(dependency, original)
        _update_plans(trees)


def _check_names(trees: Iterable[Scopes], functions: Mapping[str, Function]) -> None:
    names = {definition.name for tree in trees for definition in tree.planned}
    for name in functions:
        if name not in names:
            close = get_close_matches(name, names, n=1)
            guess = f" Did you mean {close[0]!r}?" if close else ""
            raise LookupError(f"No dependencies.py defines {name!r}.{guess}")


def _replace(
    tree: Scopes, definition: Definition, function: Function, original: Dependency
) -> Dependency:
    """Return a function in the place of a definition."""
    types, imported = tree.visible(definition.folders)
    types = {**types, definition.name: Any}
    binding = tree.bind(definition, function, Visible(types, imported))
    asks = {
        argument: original
        if argument == definition.name
        else tree.resolve(argument, definition.folders, ())
        for argument in binding.dependencies
    }
    made = make_dependency(definition, function, binding, asks)
    return replace(made, is_overridden=True)


def _assign(dependency: Dependency, other: Dependency) -> None:
    """Give a dependency the fields of another one: whoever asks for it gets those."""
    for field in fields(Dependency):
        setattr(dependency, field.name, getattr(other, field.name))


def _update_plans(trees: Iterable[Scopes]) -> None:
    for tree in trees:
        for plan in tree.plans:
            plan.update()
