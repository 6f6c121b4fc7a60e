"""Bind path parameters to the arguments of a handler. Planned once, at start-up."""

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
from .annotations import find_contradictions

_BY_KEYWORD = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)

_TAKES_MORE = inspect.CO_VARARGS | inspect.CO_VARKEYWORDS

#: The parameters of a function by name, as :func:`inspect.signature` gives them.
Signature = Mapping[str, Parameter]


@lru_cache(1024)
def _parameter(name: str) -> Parameter:
    return Parameter(name, Parameter.POSITIONAL_OR_KEYWORD)


#: One object for what many functions ask for.
_extras: Callable[[tuple[str, ...]], frozenset[str]] = lru_cache(16)(frozenset)


class Binding(NamedTuple):
    """How a function is called.

    :param function: the function.
    :param names: the path parameters that it is called with.
    :param extras: which of ``request``, ``params`` and ``call_next`` it is called with.
    :param is_direct: whether it can be called with the values as they are: it names every path
        parameter and nothing else, and is not async.
    :param is_async: whether it is an ``async def``, or called like one.
    :param wraps_async: whether a decorator wraps an ``async def`` in a function that is not.
    """

    function: Callable[..., Any]
    names: tuple[str, ...]
    extras: frozenset[str]
    is_direct: bool
    is_async: bool
    wraps_async: bool

    def arguments(self, request: Request, values: dict[str, Any]) -> dict[str, Any]:
        """What the function is called with for one request, but ``call_next``.

        :param values: the values of the path.
        """
        # A url_value_preprocessor may have taken a value out.
        arguments = {name: values[name] for name in self.names if name in values}
        if "params" in self.extras:
            arguments["params"] = values
        if "request" in self.extras:
            arguments["request"] = request
        return arguments


class BindingError(ProblemError):
    """A function asks for what no request can give."""


#: What a handler can ask for beside path parameters.
FOR_HANDLERS = ("request", "params")

#: What a middleware can ask for beside path parameters.
FOR_MIDDLEWARE = ("request", "call_next", "params")


def bind(
    name: str,
    function: Callable[..., Any],
    parameters: Mapping[str, tuple[str, object]],
    extras: tuple[str, ...] = FOR_HANDLERS,
    below: Mapping[str, str] = MappingProxyType({}),
) -> Binding:
    """Plan how a function is called.

    :param name: what the function is called in its file, for errors.
    :param function: the handler, with any decorators around it.
    :param parameters: the path parameters: for each name the folder that it is in, and the type
        that its handler gets (``None`` when a converter does not tell).
    :param extras: what it can ask for beside them.
    :param below: the parameters of folders below, which only some requests have, each with one
        such folder.
    :raises BindingError: when it asks for an argument that there is not, or for another type.
    """
    every = list(layers(function))
    signatures = [_signature(layer) for layer in every]
    outer = signatures[0]
    available = (*parameters, *extras)
    # A handler without names of its own gets what Flask would give it.
    by_default = parameters if extras is FOR_HANDLERS else available
    if outer is None:
        wanted = set(by_default)
    else:
        _check_required(name, outer, available, below)
        if not hasattr(function, "__wrapped__"):
            for reason, hint in find_contradictions(function, parameters):
                raise BindingError(f"{name} {reason}", hint)
        wanted = _wanted(signatures, by_default)
        if not _takes_any(outer):
            wanted &= _named(outer)
    names = tuple(name for name in parameters if name in wanted)
    asked = _extras(tuple(name for name in extras if name in wanted))
    is_async, *inner_are_async = map(_is_async, every)
    wraps_async = not is_async and any(inner_are_async)
    is_direct = not asked and not is_async and len(names) == len(parameters)
    return Binding(function, names, asked, is_direct, is_async, wraps_async)


def _is_async(function: Callable[..., Any]) -> bool:
    if inspect.iscoroutinefunction(function):
        return True
    kind = type(function)
    return kind is not FunctionType and inspect.iscoroutinefunction(kind.__call__)


def layers(function: Callable[..., Any]) -> Iterator[Callable[..., Any]]:
    """The function, and those that its decorators wrap, outermost first."""
    seen: set[int] = set()
    layer: Any = function
    while layer is not None and id(layer) not in seen:
        seen.add(id(layer))
        yield layer
        layer = getattr(layer, "__wrapped__", None)


def _signature(function: Callable[..., Any]) -> Signature | None:
    """The function's own parameters, or ``None`` when it does not tell (some C functions)."""
    if type(function) is FunctionType and not vars(function):
        # As most handlers are; asking inspect is half of what binding costs.
        code = function.__code__
        is_plain = not (code.co_flags & _TAKES_MORE or code.co_posonlyargcount)
        if is_plain and not (code.co_kwonlyargcount or function.__defaults__):
            return {name: _parameter(name) for name in code.co_varnames[: code.co_argcount]}
    try:
        return inspect.signature(function, follow_wrapped=False).parameters
    except (TypeError, ValueError):
        return None


def _named(signature: Signature) -> set[str]:
    return {name for name, parameter in signature.items() if parameter.kind in _BY_KEYWORD}


def _takes_any(signature: Signature) -> bool:
    return any(parameter.kind is Parameter.VAR_KEYWORD for parameter in signature.values())


def _wanted(signatures: list[Signature | None], by_default: Iterable[str]) -> set[str]:
    """The names that any layer spells out, and the default ones if the innermost has ``**``."""
    wanted = {name for signature in signatures for name in _named(signature or {})}
    innermost = signatures[-1]
    if innermost is None or _takes_any(innermost):
        wanted |= set(by_default)
    return wanted


def _check_required(
    name: str, signature: Signature, available: Collection[str], below: Mapping[str, str]
) -> None:
    for parameter in signature.values():
        if parameter.default is not Parameter.empty:
            continue
        if parameter.kind is Parameter.POSITIONAL_ONLY:
            raise BindingError(
                f"{name} has the positional-only parameter {parameter.name!r}, "
                "and arguments are given by name.",
                "Remove the / from its signature.",
            )
        if parameter.kind not in _BY_KEYWORD or parameter.name in available:
            continue
        if parameter.name in below:
            raise BindingError(
                f"{name} asks for {parameter.name!r}, a parameter of {below[parameter.name]}, "
                "which lies below: not every request here has it.",
                "Move it to a middleware.py in that folder, "
                f"or read params.get({parameter.name!r}).",
            )
        close = get_close_matches(parameter.name, available, n=1, cutoff=0.6)
        guess = f"Did you mean {close[0]!r}? " if close else ""
        query = " A query is in request.args." if "request" in available and not close else ""
        raise BindingError(
            f"{name} asks for {parameter.name!r}, which is not in the path.",
            f"{guess}It can have {_listed(available)}, or give the parameter a default.{query}",
        )


def _listed(names: Collection[str]) -> str:
    *first, last = map(repr, names)
    if not first:
        return last
    return f"{', '.join(first)} and {last}"
