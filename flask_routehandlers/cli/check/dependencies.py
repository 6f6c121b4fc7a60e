"""Find dependencies that do not guard or provide what they seem to.

A dependency that is renamed or moved stops the start, since its argument is then unknown. These
checks are about the cases in which nothing fails. Each is a :data:`~.checks.Check`.
"""

from __future__ import annotations

from collections.abc import Iterator

from flask import Flask
from werkzeug.exceptions import Forbidden, NotFound, Unauthorized

from ...dependencies.model import Dependency, Plan
from ...dependencies.types import errors_of
from ...errors import Problem
from ...handlers.endpoint import Endpoint
from ...mount import Mount


def find_unused_dependencies(app: Flask, mount: Mount) -> Iterator[Problem]:
    """Find dependencies that no handler, middleware or other dependency asks for."""
    if mount.failures:
        return  # a file that cannot be used may ask for them
    planned = mount.scopes.planned
    asks = [plan.asks for plan in mount.scopes.plans]
    asks += [dependency.asks for dependency in planned.values()]
    asked = {id(dependency) for each in asks for dependency in each.values()}
    for definition, dependency in planned.items():
        if id(dependency) not in asked:
            yield Problem(
                f"Nothing asks for the dependency {definition.name}.",
                "Name it as an argument where it is needed, or remove it. If it is a helper, "
                "begin its name with an underscore.",
                (definition.file,),
                "warning",
            )


def find_late_guards(app: Flask, mount: Mount) -> Iterator[Problem]:
    """Find a 404 that comes before a 401 or 403, so that anyone learns what exists.

    Dependencies run in the order of the signature: ``def GET(article, user)`` loads the article
    for everyone.
    """
    for file, name, plan in _plans_of(mount):
        for first, guard in _late_guards(plan):
            yield Problem(
                f"{name} asks for {first.name}, which may answer 404, before {guard.name}, which "
                "may answer 401 or 403: everyone can find out what exists.",
                f"Name {guard.name} before {first.name}.",
                (file,),
                "warning",
            )


def _plans_of(mount: Mount) -> Iterator[tuple[str, str, Plan]]:
    """Yield file, name and plan of each handler and middleware with dependencies."""
    for route in mount.routes:
        if not isinstance(route.view, Endpoint):
            continue
        for link in route.view.links:
            if link.plan is not None:
                yield link.file, link.name, link.plan
        for method, plan in route.view.dispatcher.plans.items():
            yield route.file.file, method, plan


def _late_guards(plan: Plan) -> Iterator[tuple[Dependency, Dependency]]:
    """Yield what is looked up before a guard that does not need it, and this guard."""
    order = plan.run.order
    for n, guard in enumerate(order):
        if not _declares(guard, Unauthorized, Forbidden):
            continue
        needed = set(Plan(guard.binding, guard.asks).run.order)
        for first in order[:n]:
            if _declares(first, NotFound) and first not in needed:
                yield first, guard


def _declares(dependency: Dependency, *classes: type[Exception]) -> bool:
    """Return whether the annotation of a dependency has one of some errors."""
    errors = errors_of(dependency.definition.function)
    return any(isinstance(error, type) and issubclass(error, classes) for error in errors)
