"""The commands of ``flask route-handlers``."""

from __future__ import annotations

import json
from dataclasses import asdict

import click
from flask import Flask
from flask.cli import ScriptInfo, pass_script_info

from .errors import RouteHandlersError
from .explain import Explanation, explain
from .mounts import mounts_of


@click.group()
def group() -> None:
    """Look into the trees of route files that the app serves."""


def load(info: ScriptInfo) -> Flask:
    """The app of ``flask --app``, or an error in words instead of a traceback.

    :raises click.ClickException: when it cannot be loaded, or has no tree.
    """
    try:
        app = info.load_app()
    except (click.ClickException, KeyboardInterrupt):
        raise
    except RouteHandlersError as error:
        raise click.ClickException(str(error)) from error
    except BaseException as error:
        raise click.ClickException(
            f"The app cannot be loaded: {type(error).__name__}: {error}\n"
            "Run `flask routes` to see the traceback."
        ) from error
    if not mounts_of(app):
        raise click.ClickException(
            f"The app {app.name!r} has no tree of route files. "
            'Write RouteHandlers(app, root="app/api") where it is made.'
        )
    return app


@group.command()
@click.argument("method")
@click.argument("path")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_script_info
@click.pass_context
def match(context: click.Context, info: ScriptInfo, method: str, path: str, as_json: bool) -> None:
    """Say which file answers METHOD PATH, through which middleware, and why no other does.

    The exit status is 0 if a handler answers, and 1 if not.
    """
    app = load(info)
    if not path.startswith("/"):
        raise click.BadParameter(f"Begin it with a slash: /{path}", param_hint="PATH")
    explanation = explain(app, method.upper(), path)
    if as_json:
        click.echo(json.dumps(asdict(explanation), indent=2, default=str))
    else:
        for line in describe(method.upper(), path, explanation):
            click.echo(line)
    context.exit(0 if explanation.status == 200 else 1)


def describe(method: str, path: str, found: Explanation) -> list[str]:
    """An explanation as lines of text."""
    lines = [f"{method} {path}: {_outcome(method, found)}"]
    if found.file:
        parameters = [f"{name}={value!r}" for name, value in found.parameters.items()]
        rows = [
            ("rule", found.rule),
            ("endpoint", found.endpoint),
            ("parameters", ", ".join(parameters) or "none"),
            ("methods", ", ".join(found.methods)),
        ]
        rows += [("middleware", f"{file}: {name}") for file, name in found.middleware]
        lines += [f"  {label:<12}{text}" for label, text in rows]
    lines += [f"  passed over {file}: {reason}" for file, reason in found.passed_over]
    return lines


def _outcome(method: str, found: Explanation) -> str:
    if found.file:
        if found.status == 405:
            return f"405, {found.file} has no {method}"
        if found.status == 500:
            return f"500, {found.file} or its middleware cannot be used"
        return found.file
    if found.rule:
        return f"the app's own rule {found.rule}, endpoint {found.endpoint}"
    if found.status == 308:
        return "a redirect by a rule of the app's own"
    return f"{found.status}, no route file"
