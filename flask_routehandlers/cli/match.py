"""``flask route-handlers match``: which file answers a request, and why no other does."""

from __future__ import annotations

import json
from dataclasses import asdict

import click
from flask.cli import ScriptInfo, pass_script_info

from .common import load
from .explain import Explanation, explain


@click.command()
@click.argument("method")
@click.argument("path")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_script_info
@click.pass_context
def match(context: click.Context, info: ScriptInfo, method: str, path: str, as_json: bool) -> None:
    """Say which file answers METHOD PATH, through which middleware, and why no other does.

    The exit status is 0 if a handler answers, 1 if not, and 2 if the app cannot be loaded.
    """
    if method.startswith("/"):
        raise click.BadParameter(f"It comes first: {path} {method}", param_hint="METHOD")
    if not path.startswith("/"):
        raise click.BadParameter(f"Begin it with a slash: /{path}", param_hint="PATH")
    method = method.upper()
    explanation = explain(load(info), method, path)
    if as_json:
        click.echo(json.dumps(asdict(explanation), indent=2, default=str))
    else:
        for line in describe(method, path, explanation):
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
            ("methods", ", ".join(found.methods) or "unknown"),
        ]
        rows += [("middleware", f"{step.file}: {step.name}") for step in found.middleware]
        rows += [("static", found.static)] if found.static else []
        lines += [f"  {label:<12}{text}" for label, text in rows]
    endpoints = [other.endpoint for other in found.passed_over]
    if found.file and found.endpoint:
        endpoints.append(found.endpoint)
    several = len({endpoint.partition(".")[0] for endpoint in endpoints}) > 1
    for other in found.passed_over:
        tree = f" of {other.endpoint.partition('.')[0]}" if several else ""
        lines.append(f"  passed over {other.file}{tree}: {other.reason}")
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
