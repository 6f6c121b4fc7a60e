"""Resolve the names of dependencies in the tree. Done once, at start-up.

A definition is planned once, after those that it asks for, so that a plan is a tree of finished
dependencies. One that cannot be planned keeps its error, which everything that asks for it gets
too: it is reported once, for the file where the reason is.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from contextlib import suppress

from ..binding.annotations import PathParameter
from ..binding.calls import bind
from ..binding.model import DEPENDENCY, Binding, Visible
from ..contracts.signature import read_annotation, spell
from ..errors import Problem, ProblemError, RouteHandlersError
from ..tree.spelling import RESERVED_NAMES
from .model import Definition, Dependency, Folders, Function, Plan
from .types import fits

_NOTHING_VISIBLE = Visible()


class DependencyError(ProblemError):
    """A dependency that cannot be used."""


class Scopes:
    """The dependencies of a tree, by folder, and how names are looked up in it.

    Lookup is lexical: it starts in the folder of the function that asks, and goes upwards.

    :param definitions: the dependencies of each folder by name.
    :param failures: for each other folder with a file the reason why this cannot be used.
    :param imported: functions that the file of a folder imports and does not offer, by name,
        each with the file.
    :param below: for each folder the path parameters of deeper ones, each with its folder.
    """

    def __init__(
        self,
        definitions: Mapping[Folders, Mapping[str, Definition]],
        failures: Mapping[Folders, RouteHandlersError],
        imported: Mapping[Folders, Mapping[str, str]],
        below: Mapping[Folders, Mapping[str, str]],
    ) -> None:
        self.definitions = definitions
        self.failures = failures
        self.imported = imported
        self.below = below
        self._visible: dict[Folders, Visible] = {}
        #: The plans of all functions that ask for dependencies.
        self.plans: list[Plan] = []
        #: The dependencies that have been planned.
        self.planned: dict[Definition, Dependency] = {}
        #: Those that cannot be used, with the reason, which may lie in one that they ask for.
        self.failed: dict[Definition, ProblemError] = {}
        #: The functions by name that tests have put in the place of others, the newest last.
        self.overrides: list[Mapping[str, Function]] = []
        #: The identities of all functions, by what they ask for.
        self.identities: dict[object, object] = {}
        #: The definitions that are being planned, each asked for by the one before.
        self._path: list[Definition] = []

    def failures_above(self, folders: Folders) -> list[RouteHandlersError]:
        """Return why files at a folder or above cannot be used."""
        if not self.failures:
            return []
        places = [folders[:depth] for depth in range(len(folders) + 1)]
        return [self.failures[place] for place in places if place in self.failures]

    def find(self, name: str, folders: Folders) -> Definition | None:
        """Return the definition of a name that a folder sees."""
        for depth in range(len(folders), -1, -1):
            definitions = self.definitions.get(folders[:depth], {})
            if name in definitions:
                return definitions[name]
        return None

    def outermost(self, folders: Folders) -> dict[str, Definition]:
        """Return for each name at a folder or above the outermost definition."""
        outermost: dict[str, Definition] = {}
        for depth in range(len(folders) + 1):
            outermost = {**self.definitions.get(folders[:depth], {}), **outermost}
        return outermost

    def visible(self, folders: Folders) -> Visible:
        """Return the dependencies that a folder sees."""
        if not self.definitions:
            return _NOTHING_VISIBLE
        if folders not in self._visible:
            visible = _NOTHING_VISIBLE
            if folders:
                visible = self.visible(folders[:-1])
            if folders in self.definitions:
                own = {name: each.type for name, each in self.definitions[folders].items()}
                imported = {**visible.imported, **self.imported[folders]}
                visible = Visible({**visible.types, **own}, imported)
            self._visible[folders] = visible
        return self._visible[folders]

    def plan(self, name: str, binding: Binding, folders: Folders) -> Plan | None:
        """Plan the dependencies of a handler or a middleware.

        :param name: the function's name in its file, for errors.
        :returns: ``None`` if it asks for none, or for one that :meth:`find_problems` reports.
        :raises DependencyError: for one of another type than the function expects.
        """
        if not binding.dependencies:
            return None
        try:
            asks = {argument: self.resolve(argument, folders) for argument in binding.dependencies}
        except ProblemError:
            return None
        check_types(name, binding.function, asks)
        plan = Plan(binding, asks)
        self.plans.append(plan)
        return plan

    def share_query(self, plan: Plan, binding: Binding, others: Set[str]) -> Plan:
        """Return a plan for one of the routes that it is for.

        :param others: keys of the query that other functions of the route read.
        """
        shared = Plan(binding, plan.asks, others)
        self.plans.append(shared)
        return shared

    def resolve(self, name: str, folders: Folders) -> Dependency:
        """Return the dependency that a name means in a folder."""
        definition = self.find(name, folders)
        assert definition is not None  # binding refuses unknown names
        return self.make(definition)

    def make(self, definition: Definition) -> Dependency:
        """Return the dependency of a definition, which is planned once.

        :raises ProblemError: for one that cannot be used.
        """
        if definition in self.failed:
            raise self.failed[definition]
        if definition not in self.planned:
            check_cycle(definition, self._path)
            self._path.append(definition)
            try:
                self.planned[definition] = self.plan_dependency(definition)
            except ProblemError as error:
                self.failed[definition] = error
                raise
            finally:
                self._path.pop()
        return self.planned[definition]

    def plan_dependency(self, definition: Definition) -> Dependency:
        """Plan a dependency, after those that it asks for."""
        name, function, folders = definition.name, definition.function, definition.folders
        binding = self.bind(definition, function, self.visible(folders))
        asks = {}
        for argument in binding.dependencies:
            place = folders
            if argument == name:
                # Its own name is that of an outer one.
                place = folders[:-1]
            asks[argument] = self.make(self.find(argument, place) or definition)
        check_types(name, function, asks)
        return Dependency(definition, binding, asks, self.identify(function, asks))

    def bind(self, definition: Definition, function: Function, visible: Visible) -> Binding:
        """Plan the call of a function at the place of a definition."""
        folders, parameters = definition.folders, definition.parameters
        below = self.below.get(folders, {})
        return bind(definition.name, function, parameters, DEPENDENCY, below, visible)

    def identify(self, function: Function, asks: Mapping[str, Dependency]) -> object:
        """Return the identity of a value in a request.

        It is the same for one function that asks for the same dependencies, whichever folders
        offer it, so that such a function runs once.
        """
        asked = sorted((argument, id(each.identity)) for argument, each in asks.items())
        return self.identities.setdefault((function, *asked), object())

    def find_problems(self) -> Iterator[Problem]:
        """Check every dependency, whether anything asks for it or not."""
        for folders, definitions in self.definitions.items():
            # Below a file that failed, names are missing.
            if self.failures_above(folders):
                continue
            for definition in definitions.values():
                with suppress(ProblemError):
                    self.make(definition)
        files: dict[ProblemError, str] = {}
        for definition, error in self.failed.items():
            # The first one is where the reason lies.
            files.setdefault(error, definition.file)
        for error, file in files.items():
            yield error.problem.at(file)


def check_cycle(definition: Definition, above: Sequence[Definition]) -> None:
    """Refuse a dependency that asks for itself, directly or through others.

    :param above: the definitions that lead to it.
    :raises DependencyError: for a cycle, which the message shows whole.
    """
    if definition not in above:
        return
    cycle = [each.name for each in above[above.index(definition) :]]
    if len(cycle) == 1:
        hint = "Remove the argument."
        if definition.folders:
            hint = "Remove the argument, or define the outer one in a folder above."
        raise DependencyError(
            f"The dependency {definition.name} asks for itself, and no folder above has another.",
            hint,
        )
    raise DependencyError(
        f"The dependencies {' -> '.join([*cycle, definition.name])} ask for each other.",
        "Remove one of the arguments, or move what both need into another dependency.",
    )


def check_types(name: str, function: Function, asks: Mapping[str, Dependency]) -> None:
    """Refuse an annotation that no value of its dependency can satisfy.

    :raises DependencyError: for a contradiction.
    """
    if not asks:
        return
    innermost = inspect.unwrap(function)
    for argument, dependency in asks.items():
        actual = dependency.definition.type
        wanted = read_annotation(innermost, argument)
        if not fits(actual, wanted):
            raise DependencyError(
                f"{name} annotates {argument} as {spell(wanted)}, but the dependency in "
                f"{dependency.file} returns {spell(actual)}.",
                "Correct one of the annotations.",
            )


def find_name_problems(
    file: str,
    names: Iterable[str],
    parameters: Mapping[str, PathParameter],
    below: Mapping[str, str],
) -> Iterator[Problem]:
    """Find dependencies whose names mean something else at their place.

    :param parameters: the path parameters of its folder.
    :param below: the path parameters of deeper folders, each with such a folder.
    """
    folders = {**below, **{name: parameter.folder for name, parameter in parameters.items()}}
    for name in names:
        if name in RESERVED_NAMES:
            yield Problem(f"The dependency {name} has a reserved name.", "Rename it.", (file,))
        elif name in folders:
            folder = folders[name]
            renamed = re.sub(rf"(?<=[\[.]){name}\b", f"{name}_id", folder.rpartition("/")[2])
            hint = f"Rename the dependency, or the folder to {renamed}."
            if folder.startswith("/"):
                hint = "Rename one of the two."
            yield Problem(
                f"The dependency {name} has the name of a path parameter, in {folder}.",
                hint,
                (file,),
            )
