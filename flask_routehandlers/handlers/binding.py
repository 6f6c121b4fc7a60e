"""Plan how a function is called with what it names. Done once, at start-up."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from difflib import get_close_matches
from functools import lru_cache
from inspect import Parameter
from types import FunctionType, MappingProxyType
from typing import Any, NamedTuple

from flask import Request

from ..errors import ProblemError
from .annotations import PathParameter, find_contradictions

#: The names that a handler can ask for in addition to path parameters.
FOR_HANDLERS = ("request", "params")

#: The names that a middleware can ask for in addition to path parameters.
FOR_MIDDLEWARE = ("request", "call_next", "params")

#: The parameters of a function by name, as :func:`inspect.signature` returns them.
Signature = Mapping[str, Parameter]

_BY_KEYWORD = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)
_VARIADIC = inspect.CO_VARARGS | inspect.CO_VARKEYWORDS


class BindingError(ProblemError):
    """A function asks for something that no request can provide."""


class Binding(NamedTuple):
    """The plan of a call.

    :param function: the function.
    :param names: the path parameters that it is called with.
    :param extras: which of ``request``, ``params`` and ``call_next`` it is called with.
    :param is_direct: whether the values of the path are its arguments as they are: it names
        every path parameter and nothing else, and is not async.
    :param is_async: whether it is an ``async def``, or called like one.
    :param wraps_async: whether it is a decorator's plain function around an ``async def``.
    """

    function: Callable[..., Any]
    names: tuple[str, ...]
    extras: frozenset[str]
    is_direct: bool
    is_async: bool
    wraps_async: bool

    def arguments(self, request: Request, values: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments for one request, without ``call_next``.

        :param values: the values of the path parameters.
        """
        # A url_value_preprocessor may have removed a value.
        arguments = {name: values[name] for name in self.names if name in values}
        if "params" in self.extras:
            arguments["params"] = values
        if "request" in self.extras:
            arguments["request"] = request
        return arguments


def bind(
    name: str,
    function: Callable[..., Any],
    parameters: Mapping[str, PathParameter],
    extras: tuple[str, ...] = FOR_HANDLERS,
    below: Mapping[str, str] = MappingProxyType({}),
) -> Binding:
    """Plan how a function is called.

    :param name: the function's name in its file, for errors.
    :param function: the function, including any decorators around it.
    :param parameters: the path parameters of its folder.
    :param extras: the names that it can ask for in addition.
    :param below: the path parameters of deeper folders, which only some requests have, each
        with such a folder.
    :raises BindingError: when it asks for an argument that no request has, or for another type.
    """
    layers = list(unwrap(function))
    signatures = [_read_signature(layer) for layer in layers]
    available = (*parameters, *extras)
    outer = signatures[0]
    if outer is not None:
        _check_required(name, outer, available, below)
        if not hasattr(function, "__wrapped__"):
            for problem in find_contradictions(name, function, parameters):
                raise BindingError(problem.reason, problem.hint)
    # A handler that spells out no names gets what Flask would pass.
    by_default = parameters if extras is FOR_HANDLERS else available
    wanted = _find_wanted(signatures, by_default)
    names = tuple(name for name in parameters if name in wanted)
    asked = _share(tuple(name for name in extras if name in wanted))
    is_async, *inner_are_async = map(_is_async, layers)
    return Binding(
        function=function,
        names=names,
        extras=asked,
        is_direct=not asked and not is_async and len(names) == len(parameters),
        is_async=is_async,
        wraps_async=not is_async and any(inner_are_async),
    )


@lru_cache(16)
def _share(names: tuple[str, ...]) -> frozenset[str]:
    """Return one object for the names that many functions ask for."""
    return frozenset(names)


def unwrap(function: Callable[..., Any]) -> Iterator[Callable[..., Any]]:
    """Return a function and those that its decorators wrap, outermost first."""
    seen: set[int] = set()
    layer: Any = function
    while layer is not None and id(layer) not in seen:
        seen.add(id(layer))
        yield layer
        layer = getattr(layer, "__wrapped__", None)


def _is_async(function: Callable[..., Any]) -> bool:
    if inspect.iscoroutinefunction(function):
        return True
    kind = type(function)
    return kind is not FunctionType and inspect.iscoroutinefunction(kind.__call__)


def _read_signature(function: Callable[..., Any]) -> Signature | None:
    """Return a function's own parameters, or ``None`` for some functions written in C."""
    if type(function) is FunctionType and not vars(function):
        # As most handlers are; asking inspect is half of the cost of binding.
        code = function.__code__
        is_plain = not (code.co_flags & _VARIADIC or code.co_posonlyargcount)
        if is_plain and not (code.co_kwonlyargcount or function.__defaults__):
            return {name: _make_parameter(name) for name in code.co_varnames[: code.co_argcount]}
    try:
        return inspect.signature(function, follow_wrapped=False).parameters
    except (TypeError, ValueError):
        return None


@lru_cache(1024)
def _make_parameter(name: str) -> Parameter:
    return Parameter(name, Parameter.POSITIONAL_OR_KEYWORD)


def _find_wanted(signatures: list[Signature | None], by_default: Iterable[str]) -> set[str]:
    """Return the names that a function is called with.

    They are those that any of its layers spells out, and the default ones if the innermost
    layer takes ``**kwargs`` or hides its signature, as far as the outermost layer takes them.
    """
    outer, innermost = signatures[0], signatures[-1]
    if outer is None:
        return set(by_default)
    wanted = set().union(*(_named(signature or {}) for signature in signatures))
    if innermost is None or _takes_any(innermost):
        wanted |= set(by_default)
    if not _takes_any(outer):
        wanted &= _named(outer)
    return wanted


def _named(signature: Signature) -> set[str]:
    return {name for name, parameter in signature.items() if parameter.kind in _BY_KEYWORD}


def _takes_any(signature: Signature) -> bool:
    return any(parameter.kind is Parameter.VAR_KEYWORD for parameter in signature.values())


def _check_required(
    name: str, signature: Signature, available: Collection[str], below: Mapping[str, str]
) -> None:
    for parameter in signature.values():
        if parameter.default is not Parameter.empty:
            continue
        if parameter.kind is Parameter.POSITIONAL_ONLY:
            raise BindingError(
                f"{name} has the positional-only parameter {parameter.name!r}, "
                "but arguments are passed by name.",
                "Remove the / from its signature.",
            )
        if parameter.kind in _BY_KEYWORD and parameter.name not in available:
            raise _unknown_argument(name, parameter.name, available, below)


def _unknown_argument(
    name: str, parameter: str, available: Collection[str], below: Mapping[str, str]
) -> BindingError:
    if parameter in below:
        return BindingError(
            f"{name} asks for {parameter!r}, a parameter of the deeper folder "
            f"{below[parameter]}: not every request here has it.",
            f"Move it to a middleware.py in that folder, or read params.get({parameter!r}).",
        )
    hint = f"It can ask for {_join(available)}. Any other parameter needs a default."
    close = get_close_matches(parameter, available, n=1, cutoff=0.6)
    if close:
        hint = f"Did you mean {close[0]!r}? {hint}"
    elif "request" in available:
        hint = f"{hint} The query is in request.args."
    return BindingError(f"{name} asks for {parameter!r}, which is not in the path.", hint)


def _join(names: Collection[str]) -> str:
    *first, last = map(repr, names)
    return f"{', '.join(first)} and {last}" if first else last
