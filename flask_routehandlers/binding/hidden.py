"""Find handlers whose decorators hide their signature.

A decorator that does not use :func:`functools.wraps` usually returns a wrapper which takes
anything, ``(*args, **kwargs)``. It gets the path parameters, as Flask would pass them, whatever
else the handler in it asks for. The handler is in the closure of the wrapper, under its own name.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Collection, Iterator, Mapping
from types import FunctionType
from typing import Any, NamedTuple

from flask import request

from ..contracts.arguments import find_arguments
from ..errors import Problem
from .calls import find_innermost
from .model import Binding
from .refusals import BY_KEYWORD


class Hidden(NamedTuple):
    """A handler that is called through a wrapper which does not show its signature.

    :param function: the handler.
    :param wrapper: what is called in its place.
    """

    function: FunctionType
    wrapper: Callable[..., Any]

    @property
    def hint(self) -> str:
        """The change that shows its signature to callers."""
        if not isinstance(self.wrapper, FunctionType):
            kind = type(self.wrapper).__name__
            return f"Call functools.update_wrapper(self, function) in {kind}.__init__()."
        decorator = self.wrapper.__qualname__.partition(".<locals>")[0]
        return f"Add @functools.wraps(function) to {self.wrapper.__name__}() in {decorator}()."


def find_hidden(name: str, function: Callable[..., Any]) -> Hidden | None:
    """Return the handler that a wrapper hides, if there is one.

    :param name: the name of the handler in its file.
    :param function: the function that has this name, including any decorators.
    """
    if type(function) is FunctionType and not (function.__closure__ or vars(function)):
        return None  # as most handlers
    wrapper = find_innermost(function)
    seen: set[int] = set()
    pending = list(_contents_of(wrapper))
    while pending:
        candidate = pending.pop()
        if type(candidate) is not FunctionType or id(candidate) in seen:
            continue
        if candidate.__name__ == name:
            return Hidden(candidate, wrapper)
        seen.add(id(candidate))
        pending += _contents_of(candidate)
    return None


def _contents_of(function: Callable[..., Any]) -> Iterator[object]:
    """Return the values in the closure of a function, or in the attributes of an object."""
    if not isinstance(function, FunctionType):
        yield from getattr(function, "__dict__", {}).values()
        return
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:  # a variable without a value
            continue


def find_lost_arguments(
    file: str, name: str, binding: Binding, available: Collection[str]
) -> Iterator[Problem]:
    """Find what a handler asks for and does not get, because its signature is hidden.

    :param file: the file, relative to the root.
    :param name: the name of the handler.
    :param available: the names that it can ask for in addition to path parameters.
    """
    hidden = find_hidden(name, binding.function)
    if hidden is None:
        return
    signature = inspect.signature(hidden.function).parameters
    marked = find_arguments(name, hidden.function, signature)
    lost = [
        repr(parameter.name)
        for parameter in signature.values()
        if parameter.kind in BY_KEYWORD
        and (parameter.name in marked or parameter.name in available)
        and parameter.name not in binding.extras
        and parameter.name not in binding.dependencies
    ]
    if lost:
        yield Problem(
            f"A decorator hides the signature of {name}, which does not get {', '.join(lost)}.",
            hidden.hint,
            (file,),
            "warning",
        )


def explain_calls(
    view: Callable[..., Any], file: str, bindings: Mapping[str, Binding]
) -> Callable[..., Any]:
    """Return a view that names the decorator when a hidden handler cannot be called.

    :param view: the view of a route file.
    :param file: the file, relative to the root.
    :param bindings: the plans of the calls of its handlers, by method.
    :returns: the view itself, if no handler is hidden.
    """
    hidden: dict[str, Hidden] = {}
    for name, binding in bindings.items():
        handler = find_hidden(name, binding.function)
        if handler is not None:
            hidden[name] = handler
    if not hidden:
        return view

    @functools.wraps(view)
    def explaining(**values: Any) -> Any:
        try:
            return view(**values)
        except TypeError as error:
            name = request.method
            if name == "HEAD" and name not in bindings:
                name = "GET"
            handler = hidden.get(name)
            if handler is not None and _is_failed_call(error, handler):
                error.add_note(
                    f"A decorator hides the signature of {name} in {file}, which gets the "
                    f"path parameters only. {handler.hint}"
                )
            raise

    return explaining


def _is_failed_call(error: TypeError, hidden: Hidden) -> bool:
    """Return whether an error comes from a wrapper, before the handler in it has begun."""
    codes = set()
    frames = error.__traceback__
    while frames:
        codes.add(frames.tb_frame.f_code)
        frames = frames.tb_next
    wrapper: Any = hidden.wrapper
    if not isinstance(wrapper, FunctionType):
        wrapper = type(wrapper).__call__
    return getattr(wrapper, "__code__", None) in codes and hidden.function.__code__ not in codes
