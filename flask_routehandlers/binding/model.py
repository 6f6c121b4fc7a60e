"""The plan of a call, and what a function can ask for: data only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from flask import Request

from ..errors import ProblemError

if TYPE_CHECKING:
    from ..contracts.inputs import Inputs
    from ..contracts.writers import Writer


class Kind(NamedTuple):
    """A kind of function, by what it can ask for in addition to path parameters.

    :param extras: the names that it can ask for.
    :param has_markers: whether it can have arguments that the client sends.
    :param has_body: whether these can come from the body.
    :param is_view: whether one that spells out no names gets what Flask would pass to a view.
    :param file: the name of the files that have such functions.
    """

    extras: tuple[str, ...]
    has_markers: bool = True
    has_body: bool = False
    is_view: bool = False
    file: str = "route.py"


#: A handler of a method whose requests have a body, and of any other method.
HANDLER_WITH_BODY = Kind(("request", "params"), has_body=True, is_view=True)
HANDLER = Kind(("request", "params"), is_view=True)

#: Functions of a ``middleware.py`` and of a ``dependencies.py``.
MIDDLEWARE = Kind(("request", "call_next", "params"), file="middleware.py")
DEPENDENCY = Kind(("request", "params"), file="dependencies.py")


#: A function of a static route, which sees the path only.
STATIC_FUNCTION = Kind(("params",), has_markers=False)


class Visible(NamedTuple):
    """The dependencies that a folder can see.

    :param types: their types by name, ``Any`` where it is not known.
    :param imported: functions that a ``dependencies.py`` imports and does not offer, by name,
        each with the file.
    """

    types: Mapping[str, Any] = MappingProxyType({})
    imported: Mapping[str, str] = MappingProxyType({})


class BindingError(ProblemError):
    """A function asks for something that no request can provide."""


class Binding(NamedTuple):
    """The plan of a call.

    :param function: the function.
    :param names: the path parameters that it is called with.
    :param extras: which of ``request``, ``params`` and ``call_next`` it is called with.
    :param dependencies: the dependencies that it is called with.
    :param is_direct: whether the values of the path are its arguments as they are: it names
        every path parameter, and at most the request in addition.
    :param is_async: whether it is an ``async def``, or called like one.
    :param wraps_async: whether it is a decorator's plain function around an ``async def``.
    :param inputs: how its arguments with a marker are read, if there are any.
    :param writer: writes its result as its return annotation declares, if it declares anything.
    """

    function: Callable[..., Any]
    names: tuple[str, ...]
    extras: frozenset[str] = frozenset()
    dependencies: tuple[str, ...] = ()
    is_direct: bool = False
    is_async: bool = False
    wraps_async: bool = False
    inputs: Inputs | None = None
    writer: Writer | None = None

    @property
    def awaits(self) -> bool:
        """``True`` if its result is a coroutine, or may be one."""
        return self.is_async or self.wraps_async

    def read_arguments(self, request: Request, values: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments for one request, without ``call_next`` and dependencies.

        :param values: the values of the path parameters.
        :raises ~werkzeug.exceptions.HTTPException: for a request that lacks a credential, or
            whose values are not valid.
        """
        arguments: dict[str, Any] = {}
        for name in self.names:
            if name in values:  # a url_value_preprocessor may have removed it
                arguments[name] = values[name]
        if "params" in self.extras:
            arguments["params"] = values
        if "request" in self.extras:
            arguments["request"] = request
        if self.inputs is not None:
            self.inputs.read(request, arguments)
        return arguments
