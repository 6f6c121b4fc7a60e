"""A dependency, and how a function gets those that it asks for. Planned at start-up."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass
from operator import itemgetter
from types import FunctionType
from typing import TYPE_CHECKING, Any, NamedTuple

from ..binding.annotations import PathParameter
from ..binding.model import Binding
from .types import allows_none

if TYPE_CHECKING:
    # Imported by apps that have some.
    from ..contracts.inputs import Inputs
    from ..contracts.readers import Credential

Function = Callable[..., Any]

#: A folder by the names from the root down.
Folders = tuple[str, ...]

#: The values of a request: path parameters, ``request``, ``params`` and ``call_next`` by name, and
#: of the dependencies that have run by identity.
Values = dict[Any, Any]

#: Calls a function with the values that it names.
Call = Callable[[Values], Any]

#: A dependency as it is run: its identity, its call, its inputs, whether it yields, and the
#: dependency itself. A plain tuple, since each request unpacks it.
Step = tuple[object, Call, "Inputs | None", bool, "Dependency"]


@dataclass(frozen=True, eq=False, slots=True)
class Definition:
    """A function that a folder offers as a dependency.

    :param file: the file that offers it, relative to the root.
    :param folders: the folder of the file.
    :param parameters: the path parameters of that folder.
    :param type: the type of its values, ``Any`` if it is not known.
    """

    name: str
    function: Function
    file: str
    folders: Folders
    parameters: Mapping[str, PathParameter]
    type: Any


class Dependency:
    """A definition whose own dependencies are resolved.

    :param definition: the name and the place.
    :param binding: the plan of its call, or of what a test puts in its place.
    :param asks: the dependencies that it is called with, by argument.
    :param identity: the key of its value in a request.
    :ivar call: calls it with values of a request.
    :ivar allows_none: whether its value may be ``None``.
    :ivar is_generator: whether it yields its value and cleans up afterwards.
    :ivar is_async: whether it is awaited.
    """

    def __init__(
        self,
        definition: Definition,
        binding: Binding,
        asks: Mapping[str, Dependency],
        identity: object,
    ) -> None:
        self.definition = definition
        self.name = definition.name
        self.file = definition.file
        self.binding = binding
        self.asks = asks
        self.identity = identity
        self.call = plan_call(binding, asks)
        self.allows_none = allows_none(binding.function)
        innermost = inspect.unwrap(binding.function)
        is_async_generator = inspect.isasyncgenfunction(innermost)
        self.is_generator = is_async_generator or inspect.isgeneratorfunction(innermost)
        self.is_async = is_async_generator or binding.awaits


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
        steps: list[Step] = []
        credentials: list[Credential] = []
        for each in order:
            inputs = each.binding.inputs
            if inputs is not None:
                credentials += inputs.credentials
                if self.others:
                    inputs = inputs.without(self.others)
            steps.append((each.identity, each.call, inputs, each.is_generator, each))
        inputs = self.binding.inputs
        if inputs is not None:
            credentials += inputs.credentials
        return Run(
            order=order,
            steps=tuple(steps),
            call=plan_call(self.binding, asks),
            inputs=inputs,
            credentials=tuple(credentials),
            is_async=any(each.is_async for each in order),
            is_overridden=any(each.binding.function != each.definition.function for each in order),
        )


def _in_order(asks: Mapping[str, Dependency]) -> Iterator[Dependency]:
    """Return dependencies depth first, in the order of the signatures."""
    for dependency in asks.values():
        yield from _in_order(dependency.asks)
        yield dependency


def plan_call(binding: Binding, asks: Mapping[str, Dependency]) -> Call:
    """Return a function that calls another one with values of a request.

    It costs little more than a call that is written by hand: no dict of arguments is made for
    functions that can be called by position.
    """
    function = binding.function
    keys: dict[str, object] = {name: name for name in (*binding.names, *binding.extras)}
    keys |= {argument: dependency.identity for argument, dependency in asks.items()}
    if binding.inputs is not None:
        keys |= {argument.name: argument.name for argument in binding.inputs.arguments}

    def call_by_name(values: Values) -> Any:
        # A url_value_preprocessor may have removed a value, and a client may send none.
        present = {name: values[key] for name, key in keys.items() if key in values}
        return function(**present)

    positions: tuple[str, ...] = ()
    if type(function) is FunctionType:
        # Those that have no default.
        count = function.__code__.co_argcount - len(function.__defaults__ or ())
        positions = function.__code__.co_varnames[:count][: len(keys)]
    if binding.inputs is not None or set(positions) != keys.keys():
        return call_by_name
    return _call_by_position(function, [keys[name] for name in positions])


def _call_by_position(function: Function, keys: list[object]) -> Call:
    """Return a function that passes on the values of some keys, without a loop over them."""
    if not keys:
        return lambda values: function()
    if len(keys) == 1:
        [key] = keys
        return lambda values: function(values[key])
    if len(keys) == 2:
        first, second = keys
        return lambda values: function(values[first], values[second])
    read = itemgetter(*keys)
    return lambda values: function(*read(values))
