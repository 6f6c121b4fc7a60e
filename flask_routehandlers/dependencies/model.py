"""A dependency, and how a function gets those that it asks for: data only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from ..binding.annotations import PathParameter
from ..binding.model import Binding
from .calling import Call, plan_call

if TYPE_CHECKING:
    # Imported by apps that have some.
    from ..contracts.inputs import Inputs
    from ..contracts.readers import Credential

Function = Callable[..., Any]

#: A folder by the names from the root down.
Folders = tuple[str, ...]

#: A dependency as it is run: its identity, its call, its inputs, whether it yields, and the
#: dependency itself. A plain tuple, since each request unpacks it.
Step = tuple[object, Call, "Inputs | None", bool, "Dependency"]


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


@dataclass(frozen=True, eq=False, slots=True)
class Dependency:
    """A definition whose own dependencies are resolved.

    :param definition: the name and the place.
    :param binding: the plan of its call.
    :param asks: the dependencies that it is called with, by argument.
    :param identity: the key of its value in a request. A function that several folders offer has
        one identity as long as it asks for the same dependencies, and runs once.
    :param call: calls it with values of a request.
    :param type: the type of its values, ``Any`` if it is not known.
    :param allows_none: whether its value may be ``None``.
    :param is_generator: whether it yields its value and cleans up afterwards.
    :param is_async: whether it is awaited.
    :param is_overridden: whether it takes the place of another one, in a test.
    """

    definition: Definition
    binding: Binding
    asks: Mapping[str, Dependency]
    identity: object
    call: Call
    type: Any
    allows_none: bool
    is_generator: bool
    is_async: bool
    is_overridden: bool = False

    def __repr__(self) -> str:
        return f"<Dependency {self.name} from {self.file}>"

    @property
    def name(self) -> str:
        """Its name."""
        return self.definition.name

    @property
    def file(self) -> str:
        """The file that offers it, relative to the root."""
        return self.definition.file

    def step(self, others: Set[str]) -> Step:
        """Return the same as it is run.

        :param others: keys of the query that other functions of the route read.
        """
        inputs = self.binding.inputs
        if inputs is not None and others:
            inputs = inputs.without(others)
        return self.identity, self.call, inputs, self.is_generator, self


class Run(NamedTuple):
    """The dependencies that run for a function, and how it is called after them.

    :param order: the dependencies, each after those that it asks for.
    :param steps: the same as they are run.
    :param call: calls the function with values of a request.
    :param inputs: its own arguments that the client sends.
    :param credentials: the credentials that it or any of the dependencies reads.
    :param is_async: whether any of the dependencies is async.
    :param is_overridden: whether a test has replaced any of them.
    """

    order: tuple[Dependency, ...]
    steps: tuple[Step, ...]
    call: Call
    inputs: Inputs | None
    credentials: tuple[Credential, ...]
    is_async: bool
    is_overridden: bool


class Plan:
    """The way in which a function gets its dependencies.

    :param binding: the plan of its call.
    :param asks: the dependencies that it is called with, by argument.
    :param others: keys of the query that other functions of the route read, which types of the
        dependencies must not see.
    """

    def __init__(
        self, binding: Binding, asks: Mapping[str, Dependency], others: Set[str] = frozenset()
    ) -> None:
        self.binding = binding
        self.asks = asks
        self.others = others
        #: What runs now. While a test overrides dependencies, it is another one.
        self.run = self.prepare(asks)

    def prepare(self, asks: Mapping[str, Dependency]) -> Run:
        """Return what runs with these dependencies."""
        order = tuple(dict.fromkeys(_in_order(asks)))
        bindings = [*(dependency.binding for dependency in order), self.binding]
        identities = {argument: dependency.identity for argument, dependency in asks.items()}
        return Run(
            order=order,
            steps=tuple(dependency.step(self.others) for dependency in order),
            call=plan_call(self.binding, identities),
            inputs=self.binding.inputs,
            credentials=tuple(
                credential
                for binding in bindings
                if binding.inputs is not None
                for credential in binding.inputs.credentials
            ),
            is_async=any(dependency.is_async for dependency in order),
            is_overridden=any(dependency.is_overridden for dependency in order),
        )


def _in_order(asks: Mapping[str, Dependency]) -> Iterator[Dependency]:
    """Return dependencies depth first, in the order of the signatures."""
    for dependency in asks.values():
        yield from _in_order(dependency.asks)
        yield dependency
