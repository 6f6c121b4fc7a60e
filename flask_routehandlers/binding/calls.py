"""Plan how a function is called with what it names. Done once, at start-up.

Decorators are the difficult part. A function may have several layers, each with a signature; a
wrapper that takes ``**kwargs`` gets what the layers in it spell out, and one that spells out its
own arguments gets no others. The outermost signature is the one that is checked, since it is the
one that is called.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from inspect import Parameter
from types import FunctionType, MappingProxyType
from typing import TYPE_CHECKING, Any

from flask import Flask

from ..contracts.arguments import Argument, find_arguments, find_return_contract
from ..contracts.signature import is_annotated
from .annotations import PathParameter, check_types
from .model import HANDLER, Binding, Kind, Visible
from .refusals import BY_KEYWORD, Signature, check_defaults, check_marked, check_required

if TYPE_CHECKING:
    from ..contracts.inputs import Inputs

_VARIADIC = inspect.CO_VARARGS | inspect.CO_VARKEYWORDS

_NOTHING_VISIBLE = Visible()


def bind(
    name: str,
    function: Callable[..., Any],
    parameters: Mapping[str, PathParameter],
    kind: Kind = HANDLER,
    below: Mapping[str, str] = MappingProxyType({}),
    visible: Visible = _NOTHING_VISIBLE,
) -> Binding:
    """Plan how a function is called.

    :param name: the function's name in its file, for errors.
    :param function: the function, including any decorators around it.
    :param parameters: the path parameters of its folder.
    :param kind: the kind of function.
    :param below: the path parameters of deeper folders, which only some requests have, each
        with such a folder.
    :param visible: the dependencies that it can ask for.
    :raises BindingError: when it asks for an argument that no request has, or for another type.
    """
    plain = _bind_plain(function, parameters)
    if plain is not None:
        return plain
    layers = list(unwrap(function))
    signatures = [_read_signature(layer) for layer in layers]
    available = (*parameters, *kind.extras, *visible.types)
    marked = _find_marked(name, layers, signatures)
    check_marked(name, marked, parameters, visible.types, kind)
    outer = _outermost(signatures)
    if outer is not None:
        unmarked = {name: p for name, p in outer.items() if name not in marked}
        check_required(name, function, unmarked, available, below, visible.imported, kind)
        check_defaults(name, function, unmarked, visible.types)
        if not hasattr(function, "__wrapped__"):
            in_path = {name: p for name, p in parameters.items() if name in outer}
            check_types(name, function, in_path)
    # A handler that spells out no names gets what Flask would pass.
    by_default = parameters if kind.is_view else (*parameters, *kind.extras)
    wanted = _find_wanted(signatures, by_default)
    inputs = _plan_inputs([a for a in marked.values() if a.name in wanted], kind)
    names = tuple(name for name in parameters if name in wanted)
    asked = _share(tuple(name for name in kind.extras if name in wanted))
    # In the order of the signatures, the outermost layer first.
    spelled = dict.fromkeys(name for signature in signatures for name in signature or ())
    dependencies = tuple(name for name in spelled if name in visible.types and name in wanted)
    is_async, *inner_are_async = map(_is_async, layers)
    return Binding(
        function=function,
        names=names,
        extras=asked,
        dependencies=dependencies,
        is_direct=len(names) == len(parameters)
        and asked <= {"request"}
        and not (inputs or dependencies),
        is_async=is_async,
        wraps_async=not is_async and any(inner_are_async),
        inputs=inputs,
    )


def _bind_plain(
    function: Callable[..., Any], parameters: Mapping[str, PathParameter]
) -> Binding | None:
    """Return the plan of a function with nothing to check: no decorator, annotation or default.

    Such are many handlers, which this binds in a quarter of the time.

    :returns: ``None`` for any other function, and for one that names more than path parameters.
    """
    if type(function) is not FunctionType or vars(function) or is_annotated(function):
        return None
    asked = _read_plain_names(function)
    if asked is None or not parameters.keys() >= set(asked):
        return None
    return Binding(
        function=function,
        names=tuple(name for name in parameters if name in asked),
        is_direct=len(asked) == len(parameters),
        is_async=_is_async(function),
    )


def _read_plain_names(function: FunctionType) -> tuple[str, ...] | None:
    """Return the parameters of a function, if all can be passed by name and have no default."""
    code = function.__code__
    if code.co_flags & _VARIADIC or code.co_posonlyargcount:
        return None
    if code.co_kwonlyargcount or function.__defaults__:
        return None
    return code.co_varnames[: code.co_argcount]


def bind_answers(app: Flask, name: str, file: str, binding: Binding) -> Binding:
    """Plan how the results of a handler are written, if its return annotation declares any.

    :param name: the handler's name in its file.
    :param file: the file, relative to the root.
    :raises ~flask_routehandlers.errors.ProblemError: for a return annotation that cannot be a
        contract.
    """
    innermost = find_innermost(binding.function)
    if type(innermost) is FunctionType and not is_annotated(innermost):
        return binding
    annotation = find_return_contract(name, innermost, is_required=binding.inputs is not None)
    if annotation is None:
        return binding
    from ..contracts.outputs import plan_outputs
    from ..contracts.writers import Writer

    writer = Writer(app, name, file, plan_outputs(name, annotation))
    return binding._replace(writer=writer, is_direct=False)


def _find_marked(
    name: str, layers: Sequence[Callable[..., Any]], signatures: Sequence[Signature | None]
) -> dict[str, Argument]:
    """Return the arguments with a marker of a function and of its decorators."""
    marked: dict[str, Argument] = {}
    for layer, signature in zip(layers, signatures, strict=True):
        # A callable object has those of its method.
        if signature and (type(layer) is not FunctionType or is_annotated(layer)):
            marked |= find_arguments(name, layer, signature)
    return marked


def _plan_inputs(arguments: Sequence[Argument], kind: Kind) -> Inputs | None:
    """Plan how the arguments with a marker are read; ``None`` without any."""
    if not arguments:
        return None
    # Not before it is needed: most apps have no contracts.
    from ..contracts.inputs import plan_inputs

    return plan_inputs(arguments, has_body=kind.has_body)


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


def find_innermost(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function that all decorators of a function wrap."""
    *_, layer = unwrap(function)
    return layer


def _is_async(function: Callable[..., Any]) -> bool:
    """Return whether calling a function, or an object with ``__call__``, returns a coroutine."""
    if type(function) is FunctionType and not vars(function):
        return bool(function.__code__.co_flags & inspect.CO_COROUTINE)
    if inspect.iscoroutinefunction(function):
        return True
    kind = type(function)
    return kind is not FunctionType and inspect.iscoroutinefunction(kind.__call__)


def _read_signature(function: Callable[..., Any]) -> Signature | None:
    """Return a function's own parameters, or ``None`` for some functions written in C."""
    if type(function) is FunctionType and not vars(function):
        # As most handlers are; asking inspect is half of the cost of binding.
        names = _read_plain_names(function)
        if names is not None:
            return {name: _make_parameter(name) for name in names}
    try:
        return inspect.signature(function, follow_wrapped=False).parameters
    except (TypeError, ValueError):
        return None


@lru_cache(1024)
def _make_parameter(name: str) -> Parameter:
    """Return a parameter without default or annotation, one object for each name."""
    return Parameter(name, Parameter.POSITIONAL_OR_KEYWORD)


def _find_wanted(signatures: list[Signature | None], by_default: Iterable[str]) -> set[str]:
    """Return the names that a function is called with.

    They are those that any of its layers spells out, and the default ones if the innermost
    layer takes ``**kwargs`` or hides its signature, as far as the outermost layer takes them.
    """
    outer, innermost = _outermost(signatures), signatures[-1]
    if outer is None:
        return set(by_default)
    if len(signatures) == 1 and not _takes_any(outer):
        return _named(outer)
    wanted = set().union(*(_named(signature or {}) for signature in signatures))
    if innermost is None or _takes_any(innermost):
        wanted |= set(by_default)
    if not _takes_any(outer):
        wanted &= _named(outer)
    return wanted


def _outermost(signatures: Iterable[Signature | None]) -> Signature | None:
    """Return the first signature that can be read: ``functools.lru_cache`` hides its own."""
    return next((signature for signature in signatures if signature is not None), None)


def _named(signature: Signature) -> set[str]:
    """Return the parameters of a signature that can be passed by name."""
    return {name for name, parameter in signature.items() if parameter.kind in BY_KEYWORD}


def _takes_any(signature: Signature) -> bool:
    """Return whether a signature has ``**kwargs``."""
    return any(parameter.kind is Parameter.VAR_KEYWORD for parameter in signature.values())
