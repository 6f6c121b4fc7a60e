"""Find handlers whose decorators hide their signature.

A decorator that does not use :func:`functools.wraps` usually returns a wrapper which takes
anything, ``(*args, **kwargs)``. It gets the path parameters, as Flask would pass them, whatever
else the handler in it asks for. The handler is in the closure of the wrapper, under its own name.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterator
from types import FunctionType
from typing import Any

from ..contracts.arguments import find_arguments
from ..errors import Problem
from .calls import find_innermost
from .model import Binding
from .refusals import BY_KEYWORD


def find_lost_arguments(
    file: str, name: str, binding: Binding, available: Collection[str]
) -> Iterator[Problem]:
    """Find what a handler asks for and does not get, because its signature is hidden.

    :param file: the file, relative to the root.
    :param name: the name of the handler.
    :param available: the names that it can ask for in addition to path parameters.
    """
    function = binding.function
    if type(function) is FunctionType and not (function.__closure__ or vars(function)):
        return  # as most handlers
    wrapper = find_innermost(function)
    hidden = _find_hidden(name, wrapper)
    if hidden is None:
        return
    signature = inspect.signature(hidden).parameters
    provided = {*available, *find_arguments(name, hidden, signature)}
    provided -= {*binding.extras, *binding.dependencies}
    lost = [
        repr(parameter.name)
        for parameter in signature.values()
        if parameter.kind in BY_KEYWORD and parameter.name in provided
    ]
    if lost:
        yield Problem(
            f"A decorator hides the signature of {name}, which does not get {', '.join(lost)}.",
            _suggest_wraps(wrapper),
            (file,),
            "warning",
        )


def _find_hidden(name: str, wrapper: Callable[..., Any]) -> FunctionType | None:
    """Return the function of a name that is in the closure of a wrapper, if there is one."""
    seen: set[FunctionType] = set()
    pending = list(_contents_of(wrapper))
    while pending:
        candidate = pending.pop()
        if type(candidate) is FunctionType and candidate not in seen:
            if candidate.__name__ == name:
                return candidate
            seen.add(candidate)
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


def _suggest_wraps(wrapper: Callable[..., Any]) -> str:
    """Return the change that shows callers the signature of the function in a wrapper."""
    if not isinstance(wrapper, FunctionType):
        kind = type(wrapper).__name__
        return f"Call functools.update_wrapper(self, function) in {kind}.__init__()."
    decorator = wrapper.__qualname__.partition(".<locals>")[0]
    return f"Add @functools.wraps(function) to {wrapper.__name__}() in {decorator}()."
