"""The extension object: check the whole tree first, change the app last.

``build`` returns a mount, or raises without having changed the app. Only then are a blueprint, its
rules, an error handler and a command registered, so that a failed :meth:`RouteHandlers.init_app`
leaves the app as it was. In which form a refusal is reported depends on who makes the app:
``refusal`` and ``reloader`` know the commands and the servers, and ``check`` collects refusals.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

import click
from flask import Blueprint, Flask
from flask.blueprints import BlueprintSetupState
from werkzeug.serving import is_running_from_reloader

from . import problem_details as problems
from .build import build
from .caching import EXTENSION_NAME as CACHE_NAME
from .errors import RouteTreeError
from .mount import EXTENSION_NAME, Mount
from .routing.prefix import check_prefix, default_prefix
from .routing.rules import RouteRule

if TYPE_CHECKING:
    from .reloader import Watcher


class RouteHandlers:
    """Serve a tree of route files as a Blueprint of an app.

    :param app: the app, or ``None`` to call :meth:`init_app` later, in a factory.
    :param root: the folder of the tree; a relative one starts at ``app.root_path``.
    :param url_prefix: the start of every URL, by default the part of ``root`` below its ``app``
        folder: ``app/api`` gives ``/api``. ``""`` for none.
    :param subdomain: the subdomain of every URL, for an app with ``subdomain_matching=True``.
    :param name: the blueprint's name, by default the last folder of ``root``.
    :param problem_details: whether HTTP errors of the tree's URLs are problem details (RFC 9457)
        for clients that do not prefer HTML. Error handlers of the app take precedence.
    :raises RouteTreeError: when the tree cannot be served. The app is left as it was.
    :raises ValueError: for an invalid ``url_prefix`` or ``name``.
    """

    def __init__(
        self,
        app: Flask | None = None,
        root: str | os.PathLike[str] = "app/api",
        *,
        url_prefix: str | None = None,
        subdomain: str | None = None,
        name: str | None = None,
        problem_details: bool = True,
    ) -> None:
        self.root = os.fspath(root)
        self.url_prefix = url_prefix
        self.subdomain = subdomain
        self.name = name
        self.problem_details = problem_details
        if url_prefix is not None:
            check_prefix(url_prefix)
        if name is not None and (not name or "." in name):
            raise ValueError(
                f"The name {name!r} cannot name a blueprint: it is empty or contains a dot."
            )
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Check the tree and register it on an app. Several apps can share an instance.

        :raises RouteTreeError: with every problem of the tree. The app is left as it was.
        :raises TypeError: for anything but a Flask app.
        """
        if not isinstance(app, Flask):
            raise TypeError(
                f"RouteHandlers needs a Flask app, not {app!r}. "
                "Write RouteHandlers(app, root=...), or RouteHandlers(root=...).init_app(app)."
            )
        root = os.path.normpath(os.path.join(app.root_path, self.root))
        prefix = self.url_prefix
        if prefix is None:
            prefix = default_prefix(os.path.normpath(app.root_path), root)
        name = self.name or os.path.basename(root).replace(".", "_")
        watcher = _watch(root)
        try:
            mount = build(
                app,
                root,
                prefix,
                name,
                subdomain=self.subdomain,
                problem_details=self.problem_details,
            )
        except RouteTreeError as error:
            if watcher:
                watcher.watch_files(error)
            if _collect(error) or _is_left_to_child(error) or _is_reported(app, error):
                return
            raise
        if watcher:
            watcher.show(mount.failures)
        _register(app, mount)


class _Commands(click.Group):
    """The command ``route-handlers``. Its module is imported when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return self._load().list_commands(ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return self._load().get_command(ctx, cmd_name)

    def _load(self) -> click.Group:
        group: click.Group = resolve_name("flask_routehandlers.cli:group")
        return group


_COMMANDS = _Commands(
    "route-handlers", help="Inspect and extend the trees of route files of the app."
)


def _register(app: Flask, mount: Mount) -> None:
    """Register a mount that was checked: blueprint, rules, cache, error handler and command."""
    blueprint = Blueprint(
        mount.name,
        mount.module_name,
        root_path=mount.root,
        url_prefix=mount.url_prefix or None,
        subdomain=mount.subdomain,
    )
    blueprint.record(lambda state: _add_routes(state, mount))
    app.register_blueprint(blueprint)
    app.extensions.setdefault(EXTENSION_NAME, {})[mount.name] = mount
    if mount.cache is not None and CACHE_NAME not in app.extensions:
        app.extensions[CACHE_NAME] = mount.cache
        mount.cache.replies.watch()
    if mount.problem_details:
        problems.register(app)
    # Flask itself finds it among the entry points, but app.test_cli_runner() does not.
    app.cli.commands.setdefault("route-handlers", _COMMANDS)


def _add_routes(state: BlueprintSetupState, mount: Mount) -> None:
    """Add the routes by ``add_url_rule``, which tools replace to see every view of an app."""
    app = state.app
    rule_class = app.url_rule_class
    try:
        for route in mount.routes:
            view: Callable[..., Any] | None = route.view
            for rule in route.rules:
                app.url_rule_class = partial(_take, rule)  # type: ignore[assignment]
                app.add_url_rule(
                    rule.rule,
                    route.endpoint,
                    view,
                    provide_automatic_options=False,
                    methods=rule.methods,
                    subdomain=mount.subdomain,
                )
                view = None  # the endpoint has it
    finally:
        app.url_rule_class = rule_class


def _take(rule: RouteRule, *_: object, **__: object) -> RouteRule:
    """Return the rule that was checked, whatever Flask would make one of."""
    return rule


def _watch(root: str) -> Watcher | None:
    """Watch a root if a server may start this process again when it changes."""
    if not is_running_from_reloader() and "gunicorn.workers.base" not in sys.modules:
        return None
    from .reloader import watch

    return watch(root)


def _is_left_to_child(error: RouteTreeError) -> bool:
    """Return whether the process that ``flask run`` starts will report the error again."""
    from .reloader import leave_to_child

    return leave_to_child(error)


def _is_reported(app: Flask, error: RouteTreeError) -> bool:
    """Return whether the error has been shown to whoever started the app."""
    from .refusal import report

    return report(app, error)


#: The lists that collect refused trees now.
_collections: list[list[RouteTreeError]] = []


@contextmanager
def collecting() -> Iterator[list[RouteTreeError]]:
    """Let apps be made without the trees that are refused.

    :returns: the errors, which are not raised inside the block.
    """
    refused: list[RouteTreeError] = []
    _collections.append(refused)
    try:
        yield refused
    finally:
        _collections.remove(refused)


def _collect(error: RouteTreeError) -> bool:
    """Return whether an error was collected, so that it need not be raised."""
    for refused in _collections:
        refused.append(error)
    return bool(_collections)
