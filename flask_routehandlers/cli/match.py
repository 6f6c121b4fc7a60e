"""``flask route-handlers match``: which file answers a request, and what runs for it.

``explain`` finds that out; here it is printed, as lines or as JSON. The lines are::

    GET /api/articles/x: app/api/articles/[slug]/route.py
      rule        /api/articles/<slug>
      endpoint    api./articles/[slug]
      parameters  slug='x'

followed by methods, what runs, inputs, answers, and the files that were passed over.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from urllib.parse import urlsplit

import click
from flask.cli import ScriptInfo, pass_script_info

from ..errors import printable, shown_path
from .common import load
from .explain import Explanation, explain


@click.command()
@click.argument("request", metavar="[METHOD] PATH", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_script_info
@click.pass_context
def match(
    context: click.Context, info: ScriptInfo, request: tuple[str, ...], as_json: bool
) -> None:
    """Show which file answers METHOD PATH, what runs before it, and why no other does.

    METHOD is GET by default. PATH can be a whole URL.

    The exit status is 0 if a handler answers, 1 if not, and 2 if the app cannot be loaded.
    """
    *methods, path = request
    if len(methods) > 1 or "/" in "".join(methods):
        raise click.UsageError("Give a method and a path, for example GET /api/users.")
    method = "".join(methods).upper() or "GET"
    if "://" in path:
        path = urlsplit(path).path
    path = f"/{path.removeprefix('/')}"
    explanation = explain(load(info), method, path)
    if as_json:
        click.echo(json.dumps(asdict(explanation), indent=2, default=str))
    else:
        for line in describe(method, path, explanation):
            click.echo(printable(line))
    if explanation.status != 200:
        context.exit(1)


def describe(method: str, path: str, explanation: Explanation) -> Iterator[str]:
    """Yield an explanation as lines, without anything that it does not have."""
    yield f"{method} {path}: {_outcome(method, explanation)}"
    if explanation.root and explanation.file:
        root = explanation.root
        parameters = [f"{name}={value!r}" for name, value in explanation.parameters.items()]
        rows = [
            ("rule", explanation.rule),
            ("endpoint", explanation.endpoint),
            ("parameters", ", ".join(parameters) or "none"),
            ("methods", ", ".join(explanation.methods) or "unknown"),
            *((step.kind, f"{step.place(root)}: {step.name}") for step in explanation.steps),
            *explanation.inputs.items(),
            ("answers", explanation.answers),
            ("static", explanation.static),
        ]
        for label, value in rows:
            if value:
                yield f"  {label:<12}{value}"
    for other in explanation.passed_over:
        yield f"  passed over {shown_path(os.path.join(other.root, other.file))}: {other.reason}"
    if explanation.did_you_mean:
        yield f"  Did you mean {explanation.did_you_mean}?"


def _outcome(method: str, explanation: Explanation) -> str:
    """Return the first line's answer: a file, a rule of the app, or a status."""
    status = explanation.status
    if explanation.root and explanation.file:
        file = shown_path(os.path.join(explanation.root, explanation.file))
        if status == 405:
            return f"405, {file} has no {method}"
        if status == 500:
            return f"500, {file} or its middleware cannot be used"
        return file
    if explanation.rule:
        return f"the app's rule {explanation.rule}, endpoint {explanation.endpoint}"
    if status == 308:
        return "a redirect by a rule of the app"
    return f"{status}, no route file"
