"""Resolve the names of dependencies in the tree. Done once, at start-up."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..binding.annotations import PathParameter
from ..binding.calls import bind
from ..binding.model import DEPENDENCY, Binding, Visible
from ..contracts.signature import UnreadableError, evaluate, read_annotations
from ..errors import Problem, ProblemError, RouteHandlersError
from ..tree.spelling import RESERVED_NAMES
from .model import Dependency, Plan
from .types import allows_none, fits, type_of

Function = Callable[..., Any]

#: A folder by the names from the root down.
Folders = tuple[str, ...]


@dataclass(frozen=True, eq=False, slots=True)
class Definition:
    """A function that a folder offers as a dependency.

    :param name: its name.
    :param function: the function.
    :param file: the file that offers it, relative to the root.
    :param folders: the folder of the file.
    :param parameters: the path parameters of that folder.
    """

    name: str
    function: Function
    file: str
    folders: Folders
    parameters: Mapping[str, PathParameter]


class DependencyError(ProblemError):
    """A dependency that cannot be used."""


class Scopes:
    """The dependencies of a tree, by folder, and how names are looked up in it.

    Lookup is lexical: it starts in the folder of the function that asks, and goes upwards.

    :param definitions: the dependencies of each folder by name, or the reason why the file of
        the folder cannot be used.
    :param imported: functions that the file of a folder imports and does not offer, by name,
        each with the file.
    :param below: for each folder the path parameters of deeper ones, each with its folder.
    """

    def __init__(
        self,
        definitions: Mapping[Folders, Mapping[str, Definition] | RouteHandlersError],
        imported: Mapping[Folders, Mapping[str, str]],
        below: Mapping[Folders, Mapping[str, str]],
    ) -> None:
        self.definitions = definitions
        self.imported = imported
        self.below = below
        self._visible: dict[Folders, Visible] = {}
        #: The plans of all functions that ask for dependencies.
        self.plans: list[Plan] = []
        #: The dependencies that have been planned.
        self.planned: dict[Definition, Dependency] = {}
        self._shared: dict[object, Dependency] = {}

    def failures_above(self, folders: Folders) -> Iterator[RouteHandlersError]:
        """Return why files at a folder or above cannot be used."""
        for depth in range(len(folders) + 1 if self.definitions else 0):
            found = self.definitions.get(folders[:depth])
            if isinstance(found, RouteHandlersError):
                yield found

    def find(self, name: str, folders: Folders) -> Definition | None:
        """Return the definition of a name that a folder sees."""
        for depth in range(len(folders), -1, -1):
            found = self.definitions.get(folders[:depth])
            if isinstance(found, Mapping) and name in found:
                return found[name]
        return None

    def visible(self, folders: Folders) -> Visible:
        """Return the dependencies that a folder sees."""
        if folders not in self._visible:
            outer = Visible()
            if folders:
                outer = self.visible(folders[:-1])
            types, imported = outer
            found = self.definitions.get(folders)
            if isinstance(found, Mapping):
                types = {**types, **{name: type_of(each.function) for name, each in found.items()}}
                imported = {**imported, **self.imported.get(folders, {})}
            self._visible[folders] = Visible(types, imported)
        return self._visible[folders]

    def plan(self, name: str, binding: Binding, folders: Folders) -> Plan | None:
        """Plan the dependencies of a handler or a middleware.

        :param name: the function's name in its file, for errors.
        :param folders: the folder of the function.
        :returns: ``None`` if it asks for none.
        :raises DependencyError: for one that cannot be used.
        """
        if not binding.dependencies:
            return None
        asks = {argument: self.resolve(argument, folders, ()) for argument in binding.dependencies}
        check_types(name, binding.function, asks)
        plan = Plan(asks)
        self.plans.append(plan)
        return plan

    def resolve(self, name: str, folders: Folders, above: tuple[Definition, ...]) -> Dependency:
        """Return the dependency that a name means in a folder.

        :param above: the definitions that lead to it, for cycles.
        """
        definition = self.find(name, folders)
        assert definition is not None  # binding refuses unknown names
        if definition in above:
            cycle = [each.name for each in above[above.index(definition) :]]
            raise DependencyError(
                f"The dependencies {' -> '.join([*cycle, name])} ask for each other.",
                "Remove one of the arguments, or move what both need into another dependency.",
            )
        return self.make(definition, above)

    def make(self, definition: Definition, above: tuple[Definition, ...] = ()) -> Dependency:
        """Return the dependency of a definition, which is planned once."""
        if definition in self.planned:
            return self.planned[definition]
        types, imported = self.visible(definition.folders)
        # A function may ask for the outer value of its own name.
        if not definition.folders or self.find(definition.name, definition.folders[:-1]) is None:
            types = {name: kind for name, kind in types.items() if name != definition.name}
        visible = Visible(types, imported)
        binding = self.bind(definition, definition.function, visible)
        asks = {}
        for argument in binding.dependencies:
            folders = definition.folders
            if argument == definition.name:
                folders = folders[:-1]
            asks[argument] = self.resolve(argument, folders, (*above, definition))
        check_types(definition.name, definition.function, asks)
        made = make_dependency(definition, definition.function, binding, asks)
        key = (definition.function, *sorted((name, id(each)) for name, each in asks.items()))
        dependency = self._shared.setdefault(key, made)
        self.planned[definition] = dependency
        return dependency

    def bind(self, definition: Definition, function: Function, visible: Visible) -> Binding:
        """Plan the call of a function at the place of a definition."""
        return bind(
            definition.name,
            function,
            definition.parameters,
            DEPENDENCY,
            self.below.get(definition.folders, {}),
            visible,
        )

    def find_problems(self) -> Iterator[Problem]:
        """Check every dependency, whether anything asks for it or not."""
        for found in self.definitions.values():
            if isinstance(found, Mapping):
                for definition in found.values():
                    try:
                        self.make(definition)
                    except ProblemError as error:
                        yield error.problem.at(definition.file)


def make_dependency(
    definition: Definition,
    function: Function,
    binding: Binding,
    asks: Mapping[str, Dependency],
) -> Dependency:
    """Return a function as a dependency.

    :param definition: the definition whose name and place it has.
    """
    innermost = inspect.unwrap(function)
    is_async_generator = inspect.isasyncgenfunction(innermost)
    kind = type_of(function)
    return Dependency(
        name=definition.name,
        file=definition.file,
        binding=binding,
        asks=asks,
        type=kind,
        is_generator=is_async_generator or inspect.isgeneratorfunction(innermost),
        allows_none=allows_none(kind),
        is_async=is_async_generator or binding.is_async or binding.wraps_async,
    )


def check_types(name: str, function: Function, asks: Mapping[str, Dependency]) -> None:
    """Refuse an annotation that no value of its dependency can satisfy.

    :raises DependencyError: for a contradiction.
    """
    if not asks:
        return
    innermost = inspect.unwrap(function)
    annotations = read_annotations(innermost)
    for argument, dependency in asks.items():
        if argument not in annotations:
            continue
        try:
            wanted = evaluate(annotations[argument], innermost)
        except UnreadableError:
            continue
        if not fits(dependency.type, wanted):
            raise DependencyError(
                f"{name} annotates {argument} as {_spell(wanted)}, but the dependency in "
                f"{dependency.file} returns {_spell(dependency.type)}.",
                "Correct one of the annotations.",
            )


def _spell(annotation: Any) -> str:
    return getattr(annotation, "__name__", str(annotation))


def find_name_problems(
    definitions: Iterable[Definition], parameters_below: Mapping[Folders, Mapping[str, str]]
) -> Iterator[Problem]:
    """Find dependencies whose names mean something else at their place.

    :param parameters_below: for each folder the path parameters of deeper ones, each with the
        folder that has it.
    """
    for definition in definitions:
        name = definition.name
        folder = None
        if name in definition.parameters:
            folder = definition.parameters[name].folder
        elif name in parameters_below.get(definition.folders, {}):
            folder = parameters_below[definition.folders][name]
        if name in RESERVED_NAMES:
            yield Problem(
                f"The dependency {name} has a reserved name.", "Rename it.", (definition.file,)
            )
        elif folder is not None:
            yield Problem(
                f"The dependency {name} has the name of a path parameter, in {folder}.",
                f"Rename the dependency, or the folder to [{name}_id].",
                (definition.file,),
            )
