"""A route file whose GET is static, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A route file whose GET is static.

    :param namespace: the result of :func:`~.keys.namespace_of`.
    :param file: the route file, relative to the root.
    :param source: its bytes.
    :param endpoint: its endpoint, including the blueprint.
    :param parameters: the types of the path parameters by name.
    :param is_guarded: whether it has middleware, which decides who gets a response.
    """

    namespace: str
    file: str
    source: bytes
    endpoint: str
    parameters: Mapping[str, object]
    is_guarded: bool
