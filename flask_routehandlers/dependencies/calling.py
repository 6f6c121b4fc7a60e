"""Call a function with values that a request has collected. Planned at start-up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import itemgetter
from types import FunctionType
from typing import Any

from ..binding.model import Binding

#: The values of a request: path parameters, ``request``, ``params`` and ``call_next`` by name, and
#: of the dependencies that have run by identity.
Values = dict[Any, Any]

#: Calls a function with the values that it names.
Call = Callable[[Values], Any]


def plan_call(binding: Binding, identities: Mapping[str, object]) -> Call:
    """Return a function that calls another one with values of a request.

    It costs little more than a call that is written by hand: no dict of arguments is made for
    functions that can be called by position.

    :param binding: what the function asks for.
    :param identities: the identities of the dependencies that it asks for, by argument.
    """
    function = binding.function
    keys: dict[str, object] = {name: name for name in (*binding.names, *binding.extras)}
    keys |= identities
    if binding.inputs is not None:
        keys |= {argument.name: argument.name for argument in binding.inputs.arguments}

    def call_by_name(values: Values) -> Any:
        # A url_value_preprocessor may have removed a value, and a client may send none.
        present = {name: values[key] for name, key in keys.items() if key in values}
        return function(**present)

    positions = _required_positions(function)[: len(keys)]
    if binding.inputs is not None or set(positions) != keys.keys():
        return call_by_name
    return _call_by_position(function, [keys[name] for name in positions])


def _call_by_position(function: Callable[..., Any], keys: list[object]) -> Call:
    """Return a function that passes on the values of some keys, without a loop over them."""
    if not keys:
        return lambda values: function()
    if len(keys) == 1:
        [key] = keys
        return lambda values: function(values[key])
    if len(keys) == 2:
        first, second = keys
        return lambda values: function(values[first], values[second])
    read = itemgetter(*keys)
    return lambda values: function(*read(values))


def _required_positions(function: Callable[..., Any]) -> tuple[str, ...]:
    """Return the parameters without a default that can be passed by position."""
    if type(function) is not FunctionType:
        return ()
    count = function.__code__.co_argcount - len(function.__defaults__ or ())
    return function.__code__.co_varnames[:count]
