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
    :param is_overridden: whether a test has replaced it.
    """

    name: str
    file: str
    binding: Binding
    asks: Mapping[str, Dependency]
    type: Any
    is_generator: bool
    allows_none: bool
    is_async: bool
    is_overridden: bool = False

    def __repr__(self) -> str:
        return f"<Dependency {self.name} from {self.file}>"


class Plan:
    """How a function gets its dependencies.

    :param asks: the dependencies that it is called with, by argument.
    """

    #: All dependencies, each after those that it asks for.
    order: tuple[Dependency, ...]
    #: The credentials that any of them reads.
    credentials: tuple[Credential, ...]
    #: Whether any of them is async.
    is_async: bool
    #: Whether a test has replaced any of them.
    is_overridden: bool

    def __init__(self, asks: Mapping[str, Dependency]) -> None:
        self.asks = asks
        self.update()

    def update(self) -> None:
        """Read the dependencies again, after a test has replaced some."""
        self.order = tuple(dict.fromkeys(_in_order(self.asks)))
        self.credentials = tuple(
            credential
            for dependency in self.order
            if dependency.binding.inputs is not None
            for credential in dependency.binding.inputs.credentials
        )
        self.is_async = any(dependency.is_async for dependency in self.order)
        self.is_overridden = any(dependency.is_overridden for dependency in self.order)


def _in_order(asks: Mapping[str, Dependency]) -> Iterator[Dependency]:
    """Return dependencies depth first, in the order of the signatures."""
    for dependency in asks.values():
        yield from _in_order(dependency.asks)
        yield dependency
