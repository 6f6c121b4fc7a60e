"""One function of a route file or a middleware file, with the plan of its call."""

from __future__ import annotations

from typing import NamedTuple

from ..binding.model import Binding
from ..dependencies.model import Dependency, Plan
from .exports import MIDDLEWARE


class Link(NamedTuple):
    """One function of a chain: a middleware, or the handler at its end.

    :param file: the file, relative to the root.
    :param name: the function's name in it: ``GET``, ``middleware``, ``middleware[1] (limit)``.
    :param binding: the plan of its call.
    :param plan: how it gets its dependencies, if it asks for some.
    """

    file: str
    name: str
    binding: Binding
    plan: Plan | None = None

    @property
    def kind(self) -> str:
        """The kind of function, for errors."""
        if self.name.startswith(MIDDLEWARE):
            return "A middleware"
        return "A handler"

    @property
    def dependencies(self) -> tuple[Dependency, ...]:
        """The dependencies that run for it, each after those that it asks for."""
        if self.plan is None:
            return ()
        return self.plan.run.order

    @property
    def needs_loop(self) -> bool:
        """``True`` if it, or a dependency of it, is async."""
        return self.binding.awaits or (self.plan is not None and self.plan.run.is_async)

    def check_call(self, is_called: bool, arguments: object, named: object) -> None:
        """Refuse a second call of ``call_next``, and arguments.

        :raises RuntimeError: for a second call.
        :raises TypeError: for arguments.
        """
        if is_called:
            raise RuntimeError(
                f"{self.name} in {self.file} called call_next() twice. "
                "A request is answered once: keep the response of the first call."
            )
        if arguments or named:
            raise TypeError(
                f"{self.name} in {self.file} passed call_next() an argument. "
                "It takes none: the next function gets the same request."
            )
