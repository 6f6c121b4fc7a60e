"""The paths of a static route that are known in advance, from ``generate_static_params``.

They are what ``export`` and ``warm`` render, and, with ``dynamic_params = False``, the only ones
that exist. Parameters become a path by the app's own rules and have to lead back to the same file:
a list that is wrong is an error, not a 404 for a client.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextvars import Context
from types import CoroutineType
from typing import Any
from urllib.parse import unquote

from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.routing import MapAdapter

from ..running.modes import run_for
from .model import StaticFile
from .settings import host_of


class StaticParams:
    """List the paths of a route.

    :param app: the app that serves it.
    :param static: its file.
    :param generate: its ``generate_static_params``, if it has one.
    """

    def __init__(self, app: Flask, static: StaticFile, generate: Callable[[], Any] | None) -> None:
        self._app = app
        self._endpoint = static.endpoint
        self._file = static.file
        self._types = static.parameters
        self._generate = generate
        if not self._types:  # such a file has one path
            self._generate = lambda: [{}]

    def paths(self) -> list[str] | None:
        """Return the decoded paths, each once; ``None`` if no function lists them.

        :raises TypeError: when the function returns anything but a list of dicts, each with
            every parameter.
        :raises ValueError: when parameters do not lead to this file.
        """
        if self._generate is None:
            return None
        # The function sees nothing of a request in which it may be called.
        return Context().run(self._list, self._generate)

    def usual(self, path: str) -> str:
        """Return a decoded path of the route as :func:`flask.url_for` spells it.

        It is ``/posts/1`` for ``/posts/01`` where ``[id=int]`` reads both as the same number.
        """
        if not self._types:
            return path
        adapter = self._adapter()
        try:
            return unquote(adapter.build(*adapter.match(path, method="GET")), errors="strict")
        except Exception:  # a custom converter may be unable to build what it matches
            return path

    def _list(self, generate: Callable[[], Any]) -> list[str]:
        """Call the function, and return the paths of its parameters, each once."""
        with self._app.app_context():
            listed = generate()
            if isinstance(listed, CoroutineType):
                listed = run_for(self._app, listed)
            if isinstance(listed, (str, Mapping)) or not hasattr(listed, "__iter__"):
                raise self._misuse(listed)
            adapter = self._adapter()
            return list(dict.fromkeys(self._path(adapter, values) for values in listed))

    def _adapter(self) -> MapAdapter:
        """Return what makes and matches paths, as if the app were mounted at the root."""
        return self._app.url_map.bind(host_of(self._app), script_name="/")

    def _path(self, adapter: MapAdapter, values: Any) -> str:
        """Return the decoded path of some parameters.

        :param values: what the function has listed, which may be anything.
        :raises TypeError: for anything but a dict with every parameter.
        :raises ValueError: for parameters that lead elsewhere.
        """
        if not isinstance(values, Mapping) or set(values) != set(self._types):
            raise self._misuse(values)
        for name, value in values.items():
            # Any value could be made a string, and so a path.
            is_single = isinstance(value, str) or not isinstance(value, Iterable)
            if self._types[name] is str and not is_single:
                kind = type(value).__name__
                raise self._refusal(values, f"but {name!r} must be a str, not a {kind}.")
        try:
            path = unquote(adapter.build(self._endpoint, values), errors="strict")
            rule, _ = adapter.match(path, method="GET", return_rule=True)
        except (HTTPException, LookupError, TypeError, ValueError) as error:
            raise self._refusal(values, f"which make no URL of this file: {error}") from error
        if rule.endpoint != self._endpoint:
            raise self._refusal(values, f"but {path} is a URL of {rule.endpoint}.")
        return path

    def _refusal(self, values: Mapping[str, Any], reason: str) -> ValueError:
        return ValueError(
            f"generate_static_params in {self._file} returned the parameters {dict(values)!r}, "
            f"{reason}"
        )

    def _misuse(self, listed: object) -> TypeError:
        form = ", ".join(f"{name!r}: ..." for name in self._types)
        return TypeError(
            f"generate_static_params in {self._file} returned {listed!r}. "
            f"It must return a list of dicts, each of the form {{{form}}}."
        )
