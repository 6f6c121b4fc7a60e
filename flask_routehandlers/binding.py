"""Bind path parameters to the arguments of a handler. Planned once, at start-up."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterator, Mapping
from difflib import get_close_matches
from inspect import Parameter
from typing import Any, NamedTuple

from flask import Request

from .annotations import find_contradictions

_BY_KEYWORD = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)

#: The parameters of a function by name, as :func:`inspect.signature` gives them.
Signature = Mapping[str, Parameter]


class Binding(NamedTuple):
    """How a function is called.

    :param function: the function.
    :param names: the path parameters that it is called with.
    :param wants_request: whether it gets the Flask request as ``request``.
    :param wants_params: whether it gets a dict of all path parameters as ``params``.
    :param is_direct: whether it names every path parameter and nothing else, so that it can be
        called with the values as they are.
    """

    function: Callable[..., Any]
    names: tuple[str, ...]
    wants_request: bool
    wants_params: bool
    is_direct: bool

    def call(self, request: Request, values: dict[str, Any]) -> Any:
        """Call the function for one request with the values of the path."""
        # A url_value_preprocessor may have taken a value out.
        arguments = {name: values[name] for name in self.names if name in values}
        if self.wants_params:
            arguments["params"] = values
        if self.wants_request:
            arguments["request"] = request
        return self.function(**arguments)


class BindingError(TypeError):
    """A function asks for what no request can give.

    :param reason: what is wrong.
    :param cure: what to do.
    """

    def __init__(self, reason: str, cure: str) -> None:
        self.reason = reason
        self.cure = cure
        super().__init__(f"{reason} {cure}")


def bind(
    name: str, function: Callable[..., Any], parameters: Mapping[str, tuple[str, object]]
) -> Binding:
    """Plan how a function is called.

    :param name: what the function is called in its file, for errors.
    :param function: the handler, with any decorators around it.
    :param parameters: the path parameters: for each name the folder that it is in, and the type
        that its handler gets (``None`` when a converter does not tell).
    :raises BindingError: when it asks for an argument that there is not, or for another type.
    """
    layers = list(_layers(function))
    signatures = [_signature(layer) for layer in layers]
    outer = signatures[0]
    available = (*parameters, "request", "params")
    if outer is None:
        wanted = set(parameters)
    else:
        _check_required(name, outer, available)
        if len(layers) == 1:
            for reason, cure in find_contradictions(function, parameters):
                raise BindingError(f"{name} {reason}", cure)
        wanted = _wanted(signatures, parameters)
        if not _takes_any(outer):
            wanted &= _named(outer)
    names = tuple(name for name in parameters if name in wanted)
    request, params = "request" in wanted, "params" in wanted
    is_direct = not request and not params and len(names) == len(parameters)
    return Binding(function, names, request, params, is_direct)


def _layers(function: Callable[..., Any]) -> Iterator[Callable[..., Any]]:
    """The function, and those that its decorators wrap, outermost first."""
    seen: set[int] = set()
    layer: Any = function
    while layer is not None and id(layer) not in seen:
        seen.add(id(layer))
        yield layer
        layer = getattr(layer, "__wrapped__", None)


def _signature(function: Callable[..., Any]) -> Signature | None:
    """The function's own parameters, or ``None`` when it does not tell (some C functions)."""
    try:
        return inspect.signature(function, follow_wrapped=False).parameters
    except (TypeError, ValueError):
        return None


def _named(signature: Signature) -> set[str]:
    return {name for name, parameter in signature.items() if parameter.kind in _BY_KEYWORD}


def _takes_any(signature: Signature) -> bool:
    return any(parameter.kind is Parameter.VAR_KEYWORD for parameter in signature.values())


def _wanted(signatures: list[Signature | None], parameters: Collection[str]) -> set[str]:
    """The names that any layer spells out; all path parameters if the innermost has ``**``."""
    wanted = {name for signature in signatures for name in _named(signature or {})}
    innermost = signatures[-1]
    if innermost is None or _takes_any(innermost):
        wanted |= set(parameters)
    return wanted


def _check_required(name: str, signature: Signature, available: Collection[str]) -> None:
    for parameter in signature.values():
        if parameter.default is not Parameter.empty:
            continue
        if parameter.kind is Parameter.POSITIONAL_ONLY:
            raise BindingError(
                f"{name} has the positional-only parameter {parameter.name!r}, "
                "and arguments are given by name.",
                "Remove the / from its signature.",
            )
        if parameter.kind in _BY_KEYWORD and parameter.name not in available:
            close = get_close_matches(parameter.name, available, n=1, cutoff=0.6)
            guess = f"Did you mean {close[0]!r}? " if close else ""
            raise BindingError(
                f"{name} asks for {parameter.name!r}, which is not in the path.",
                f"{guess}It can have {_listed(available)}, or give the parameter a default.",
            )


def _listed(names: Collection[str]) -> str:
    *first, last = map(repr, names)
    return f"{', '.join(first)} and {last}"
