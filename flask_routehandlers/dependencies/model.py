"""A dependency and the plan of a call that asks for some: data only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..binding.model import Binding
from ..contracts.readers import Credential


@dataclass(eq=False, slots=True)
class Dependency:
    """A function of a ``dependencies.py``, as a folder sees it.

    Two are the same only if they are the same object: a function that several folders offer is
    one dependency as long as it asks for the same ones, and runs once in a request.

    :param name: its name.
    :param file: the file that offers it, relative to the root.
    :param binding: the plan of its call.
    :param asks: the dependencies that it is called with, by argument.
    :param type: the type of its values, ``Any`` if it is not known.
    :param is_generator: whether it yields its value and cleans up afterwards.
    :param allows_none: whether its value may be ``None``.
    :param is_async: whether it is awaited.
    """

    name: str
    file: str
    binding: Binding
    asks: Mapping[str, Dependency]
    type: Any
    is_generator: bool
    allows_none: bool
    is_async: bool

    def __repr__(self) -> str:
        return f"<Dependency {self.name} from {self.file}>"


@dataclass(frozen=True, slots=True)
class Plan:
    """How a function gets its dependencies.

    :param asks: the dependencies that it is called with, by argument.
    :param order: all of them and theirs, each after those that it asks for.
    :param credentials: the credentials that any of them reads.
    :param is_async: whether any of them is async.
    """

    asks: Mapping[str, Dependency]
    order: tuple[Dependency, ...]
    credentials: tuple[Credential, ...]
    is_async: bool


def make_plan(asks: Mapping[str, Dependency]) -> Plan:
    """Return the plan of a function that asks for some dependencies."""
    order = tuple(dict.fromkeys(_in_order(asks)))
    credentials = [
        credential
        for dependency in order
        if dependency.binding.inputs is not None
        for credential in dependency.binding.inputs.credentials
    ]
    return Plan(
        asks=asks,
        order=order,
        credentials=tuple(credentials),
        is_async=any(dependency.is_async for dependency in order),
    )


def _in_order(asks: Mapping[str, Dependency]) -> Iterator[Dependency]:
    """Return dependencies depth first, in the order of the signatures."""
    for dependency in asks.values():
        yield from _in_order(dependency.asks)
        yield dependency
