"""Plan how a function is called with what it names. Done once, at start-up."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from difflib import get_close_matches
from functools import lru_cache
from inspect import Parameter
from types import FunctionType, MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from flask import Flask, Request

from ..contracts.arguments import Argument, find_arguments, find_return_contract
from ..contracts.signature import UnreadableError, evaluate, is_structured, read_annotations
from ..errors import ProblemError
from ..tree.grammar import RESERVED_NAMES
from .annotations import PathParameter, find_contradictions


class Kind(NamedTuple):
    """A kind of function, by what it can ask for in addition to path parameters.

    :param extras: the names that it can ask for.
    :param has_markers: whether it can have arguments that the client sends.
    :param has_body: whether these can come from the body.
    :param is_view: whether one that spells out no names gets what Flask would pass to a view.
    """

    extras: tuple[str, ...]
    has_markers: bool = True
    has_body: bool = False
    is_view: bool = False


#: A handler of a method whose requests have a body, and of any other method.
HANDLER_WITH_BODY = Kind(("request", "params"), has_body=True, is_view=True)
HANDLER = Kind(("request", "params"), is_view=True)

MIDDLEWARE = Kind(("request", "call_next", "params"))

#: A function of a static route, which sees the path only.
STATIC_FUNCTION = Kind(("params",), has_markers=False)

if TYPE_CHECKING:
    from ..contracts.inputs import Inputs
    from ..contracts.writers import Writer

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
    :param inputs: how its arguments with a marker are read, if there are any.
    :param writer: writes its result as its return annotation declares, if it declares anything.
    """

    function: Callable[..., Any]
    names: tuple[str, ...]
    extras: frozenset[str]
    is_direct: bool
    is_async: bool
    wraps_async: bool
    inputs: Inputs | None = None
    writer: Writer | None = None

    def arguments(self, request: Request, values: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments for one request, without ``call_next``.

        :param values: the values of the path parameters.
        :raises ~werkzeug.exceptions.HTTPException: for a request that lacks a credential, or
            whose values are not valid.
        """
        # A url_value_preprocessor may have removed a value.
        arguments = {name: values[name] for name in self.names if name in values}
        if "params" in self.extras:
            arguments["params"] = values
        if "request" in self.extras:
            arguments["request"] = request
        if self.inputs is not None:
            self.inputs.authenticate(request, arguments)
            self.inputs.read(request, arguments)
        return arguments


def bind(
    name: str,
    function: Callable[..., Any],
    parameters: Mapping[str, PathParameter],
    kind: Kind = HANDLER,
    below: Mapping[str, str] = MappingProxyType({}),
) -> Binding:
    """Plan how a function is called.

    :param name: the function's name in its file, for errors.
    :param function: the function, including any decorators around it.
    :param parameters: the path parameters of its folder.
    :param kind: the kind of function.
    :param below: the path parameters of deeper folders, which only some requests have, each
        with such a folder.
    :raises BindingError: when it asks for an argument that no request has, or for another type.
    """
    layers = list(unwrap(function))
    signatures = [_read_signature(layer) for layer in layers]
    available = (*parameters, *kind.extras)
    marked = _find_marked(name, layers, signatures)
    _check_marked(name, marked, parameters, kind)
    outer = signatures[0]
    if outer is not None:
        required = {name: p for name, p in outer.items() if name not in marked}
        _check_required(name, function, required, available, below, kind)
        if not hasattr(function, "__wrapped__"):
            for problem in find_contradictions(name, function, parameters):
                raise BindingError(problem.reason, problem.hint)
    # A handler that spells out no names gets what Flask would pass.
    by_default = parameters if kind.is_view else available
    wanted = _find_wanted(signatures, by_default)
    inputs = _plan_inputs(name, [a for a in marked.values() if a.name in wanted], kind)
    names = tuple(name for name in parameters if name in wanted)
    asked = _share(tuple(name for name in kind.extras if name in wanted))
    is_async, *inner_are_async = map(_is_async, layers)
    return Binding(
        function=function,
        names=names,
        extras=asked,
        is_direct=not (asked or is_async or inputs) and len(names) == len(parameters),
        is_async=is_async,
        wraps_async=not is_async and any(inner_are_async),
        inputs=inputs,
    )


def bind_answers(app: Flask, name: str, file: str, binding: Binding) -> Binding:
    """Plan how the results of a handler are written, if its return annotation declares any.

    :param name: the handler's name in its file.
    :param file: the file, relative to the root.
    :raises ~flask_routehandlers.errors.ProblemError: for a return annotation that cannot be a
        contract.
    """
    *_, innermost = unwrap(binding.function)
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
        if signature and getattr(layer, "__annotations__", None):
            marked |= find_arguments(name, layer, signature)
    return marked


def _check_marked(
    name: str, marked: Mapping[str, Argument], parameters: Mapping[str, PathParameter], kind: Kind
) -> None:
    for argument in marked:
        if argument in parameters:
            raise BindingError(
                f"{name} has a marker on {argument}, a parameter of the path.",
                "Remove the marker, or rename the argument.",
            )
        if argument in RESERVED_NAMES:
            raise BindingError(
                f"{name} has a marker on {argument}, a reserved name.", "Rename the argument."
            )
        if not kind.has_markers:
            raise BindingError(
                f"{name} has a marker on {argument}, but it sees the path only.",
                "Remove the argument.",
            )


def _plan_inputs(name: str, arguments: Sequence[Argument], kind: Kind) -> Inputs | None:
    if not arguments:
        return None
    # Not before it is needed: most apps have no contracts.
    from ..contracts.inputs import plan_inputs

    return plan_inputs(name, arguments, has_body=kind.has_body)


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
    name: str,
    function: Callable[..., Any],
    signature: Signature,
    available: Collection[str],
    below: Mapping[str, str],
    kind: Kind,
) -> None:
    """Refuse parameters without a default that no request can provide.

    :param available: the names of everything that it can ask for.
    """
    for parameter in signature.values():
        if parameter.default is not Parameter.empty:
            continue
        if parameter.kind is Parameter.POSITIONAL_ONLY:
            raise BindingError(
                f"{name} has the positional-only parameter {parameter.name!r}, "
                "but arguments are passed by name.",
                "Remove the / from its signature.",
            )
        if parameter.kind not in _BY_KEYWORD or parameter.name in available:
            continue
        if parameter.name in below:
            raise BindingError(
                f"{name} asks for {parameter.name!r}, a parameter of the deeper folder "
                f"{below[parameter.name]}: not every request here has it.",
                f"Move it to a middleware.py in that folder, or read "
                f"params.get({parameter.name!r}).",
            )
        raise BindingError(
            f"{name} asks for {parameter.name!r}, which is not in the path.",
            _suggest(function, parameter.name, available, kind),
        )


def _suggest(
    function: Callable[..., Any], parameter: str, available: Collection[str], kind: Kind
) -> str:
    """Return what to write in place of a parameter that nothing provides."""
    close = get_close_matches(parameter, available, n=1, cutoff=0.6)
    hint = f"It can ask for {_join(available)}. Any other parameter needs a default."
    if close:
        return f"Did you mean {close[0]!r}? {hint}"
    if not kind.has_markers:
        return hint
    annotation: Any = str
    with suppress(KeyError, UnreadableError):
        annotation = evaluate(read_annotations(function)[parameter], function)
    marker = "Query"
    if kind.has_body and is_structured(annotation):
        marker = "Body"
    spelled = getattr(annotation, "__name__", str(annotation))
    return f"{hint} For a value from the client, write {parameter}: {marker}[{spelled}]."


def _join(names: Collection[str]) -> str:
    *first, last = map(repr, names)
    return f"{', '.join(first)} and {last}" if first else last
