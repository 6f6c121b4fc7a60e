"""Bind path parameters to the arguments of a handler. Planned once, at start-up."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable, Collection, Iterator, Mapping
from difflib import get_close_matches
from inspect import Parameter
from typing import Any, NamedTuple

from flask import Request

#: What a request runs: the request and the path parameters in, the handler's return value out.
Call = Callable[[Request, dict[str, Any]], Any]

#: The type in place of one for a catch-all, whose handler gets a list of str.
LIST_OF_STR = list[str]


class Bound(NamedTuple):
    """How a function is called.

    :param call: calls it with what it names.
    :param function: the function itself if it names every path parameter and nothing else, so
        that it can be called with the values as they are.
    """

    call: Call
    function: Callable[..., Any] | None


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
) -> Bound:
    """Plan how a function is called.

    :param name: what the function is called in its file, for errors.
    :param function: the handler, with any decorators around it.
    :param parameters: the path parameters: for each name the folder that it is in, and the type
        that its handler gets (``None`` when a converter does not tell).
    :raises BindingError: when it asks for an argument that there is not, or for another type.
    """
    available = (*parameters, "request", "params")
    layers = list(_layers(function))
    outer = _signature(layers[0])
    if outer is None:
        return _bound(function, tuple(parameters), tuple(parameters))
    _check_required(name, outer, available)
    if len(layers) == 1:
        _check_annotations(name, function, parameters)
    wanted = _wanted(layers, parameters)
    if not any(p.kind is Parameter.VAR_KEYWORD for p in outer.values()):
        wanted = wanted & _by_keyword(outer)
    return _bound(function, tuple(n for n in available if n in wanted), tuple(parameters))


def _layers(function: Callable[..., Any]) -> Iterator[Callable[..., Any]]:
    """The function, and those that its decorators wrap, outermost first."""
    seen: set[int] = set()
    layer: Any = function
    while layer is not None and id(layer) not in seen:
        seen.add(id(layer))
        yield layer
        layer = getattr(layer, "__wrapped__", None)


def _signature(function: Callable[..., Any]) -> Mapping[str, Parameter] | None:
    """The function's own parameters, or ``None`` when it does not tell (some C functions)."""
    try:
        return inspect.signature(function, follow_wrapped=False).parameters
    except (TypeError, ValueError):
        return None


def _by_keyword(signature: Mapping[str, Parameter]) -> set[str]:
    kinds = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)
    return {name for name, parameter in signature.items() if parameter.kind in kinds}


def _wanted(layers: list[Callable[..., Any]], parameters: Collection[str]) -> set[str]:
    """The names that any layer spells out; all path parameters if the innermost has ``**``."""
    wanted: set[str] = set()
    signature: Mapping[str, Parameter] | None = None
    for layer in layers:
        signature = _signature(layer)
        wanted |= _by_keyword(signature or {})
    if signature is None or any(p.kind is Parameter.VAR_KEYWORD for p in signature.values()):
        wanted |= set(parameters)
    return wanted


def _check_required(
    name: str, signature: Mapping[str, Parameter], available: Collection[str]
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
        named = parameter.kind in (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)
        if named and parameter.name not in available:
            close = get_close_matches(parameter.name, available, n=1, cutoff=0.6)
            guess = f"Did you mean {close[0]!r}? " if close else ""
            raise BindingError(
                f"{name} asks for {parameter.name!r}, which is not in the path.",
                f"{guess}It can have {_listed(available)}, or give the parameter a default.",
            )


def _listed(names: Collection[str]) -> str:
    *first, last = map(repr, names)
    return f"{', '.join(first)} and {last}"


def _check_annotations(
    name: str, function: Callable[..., Any], parameters: Mapping[str, tuple[str, object]]
) -> None:
    try:
        annotations = typing.get_type_hints(function)
    except Exception:  # names that only a type checker can resolve
        return
    for parameter, (folder, given) in parameters.items():
        annotation = annotations.get(parameter, Any)
        if given is None or accepts(annotation, given):
            continue
        shown = _shown(annotation)
        cure = f"Write {parameter}: {_shown(given)}"
        if given is str and shown in ("int", "float", "UUID"):
            converter = folder.replace(f"[{parameter}]", f"[{parameter}={shown.lower()}]")
            if converter != folder:
                cure = f"Rename the folder to {converter}, or write {parameter}: str"
        raise BindingError(
            f"{name} says {parameter}: {shown}, but {folder} gives {_shown(given)}.", f"{cure}."
        )


def _shown(annotation: object) -> str:
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)


def accepts(annotation: Any, given: Any) -> bool:
    """Whether a value of the type ``given`` can be what an annotation says.

    :param annotation: anything that can stand behind a colon.
    :param given: ``str``, ``int``, ``float``, ``UUID`` or :data:`LIST_OF_STR`.
    """
    if annotation is Any:  # a class since Python 3.11
        return True
    origin = typing.get_origin(annotation)
    arguments = typing.get_args(annotation)
    if origin is typing.Annotated or origin in (typing.Required, typing.NotRequired):
        return accepts(arguments[0], given)
    if origin is typing.Union or origin is types.UnionType:
        return any(accepts(member, given) for member in arguments)
    if origin is typing.Literal:
        return any(isinstance(value, typing.get_origin(given) or given) for value in arguments)
    for behind in ("__supertype__", "__value__"):  # NewType, and a type statement
        if hasattr(annotation, behind):
            return accepts(getattr(annotation, behind), given)
    if given == LIST_OF_STR and isinstance(origin, type):
        return _is_kind_of(list, origin) and all(accepts(a, str) for a in arguments)
    if isinstance(origin or annotation, type):
        plain = typing.get_origin(given) or given
        wider = annotation in (float, complex) and plain in (int, float)
        return wider or _is_kind_of(plain, origin or annotation)
    return True  # a type variable, what only a type checker understands


def _is_kind_of(given: type, annotation: type) -> bool:
    try:
        return issubclass(given, annotation)
    except TypeError:  # a protocol that cannot be asked
        return True


def _bound(
    function: Callable[..., Any], names: tuple[str, ...], parameters: Collection[str]
) -> Bound:
    selected = tuple(name for name in names if name in parameters)
    wants_request = "request" in names
    wants_params = "params" in names

    def call(request: Request, values: dict[str, Any]) -> Any:
        # A url_value_preprocessor may have taken a value out.
        arguments = {name: values[name] for name in selected if name in values}
        if wants_params:
            arguments["params"] = values
        if wants_request:
            arguments["request"] = request
        return function(**arguments)

    plain = not wants_request and not wants_params and len(selected) == len(parameters)
    return Bound(call, function if plain else None)
