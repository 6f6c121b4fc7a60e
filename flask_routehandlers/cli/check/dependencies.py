"""Find dependencies that do not guard or provide what they seem to.

A dependency that is renamed or moved stops the start, since its argument is then unknown. These
checks are about the cases in which nothing fails. Each is a :data:`~.checks.Check`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from flask import Flask
from werkzeug.exceptions import Forbidden, NotFound, Unauthorized

from ...binding.calls import find_innermost
from ...contracts.readers import Credential
from ...dependencies.model import Dependency, Plan
from ...dependencies.types import errors_of
from ...errors import Problem
from ...handlers.link import Link
from ...mount import Mount

#: The beginning of CORS headers, and of the attributes for them in Werkzeug.
_CORS = ("access-control-allow-", "access_control_allow_")


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
            )


def find_late_guards(app: Flask, mount: Mount) -> Iterator[Problem]:
    """Find a 404 that comes before a 401 or 403, so that anyone learns what exists.

    Dependencies run in the order of the signature: ``def GET(article, user)`` loads the article
    for everyone.
    """
    for link in _links_of(mount):
        for first, guard in _late_guards(link.dependencies):
            yield Problem(
                f"{link.name} asks for {first.name}, which may answer 404, before {guard.name}, "
                "which may answer 401 or 403: everyone can find out what exists.",
                f"Name {guard.name} before {first.name}.",
                (link.file,),
            )


def find_late_cors(app: Flask, mount: Mount) -> Iterator[Problem]:
    """Find middleware for CORS that runs after one which needs a credential.

    Browsers send preflights without credentials, so they would all be answered with 401.
    """
    for route in mount.routes:
        guard: Link | None = None
        for link in route.links:
            if guard and _is_about_cors(link):
                yield Problem(
                    f"{link.name} is about CORS, but it runs after {guard.name} in {guard.file}, "
                    "which needs a credential: browsers send preflights without any.",
                    f"Let it run before {guard.name}: in a folder above, or first in the list.",
                    (link.file,),
                )
            if guard is None and _needs_credential(link):
                guard = link


def _needs_credential(link: Link) -> bool:
    """Return whether a middleware, or a dependency of it, answers 401 without a credential."""
    credentials: tuple[Credential, ...] = ()
    if link.plan is not None:
        credentials = link.plan.run.credentials
    elif link.binding.inputs is not None:
        credentials = link.binding.inputs.credentials
    return any(not credential.is_optional for credential in credentials)


def _is_about_cors(link: Link) -> bool:
    """Return whether the code of a middleware names a header of CORS."""
    code = getattr(find_innermost(link.binding.function), "__code__", None)
    if code is None:
        return False
    words = [word for word in (*code.co_names, *code.co_consts) if isinstance(word, str)]
    return any(word.lower().startswith(_CORS) for word in words)


def _links_of(mount: Mount) -> Iterator[Link]:
    """Yield each middleware and each handler of each route."""
    for route in mount.routes:
        yield from route.links
        yield from route.handlers.values()


def _late_guards(order: Sequence[Dependency]) -> Iterator[tuple[Dependency, Dependency]]:
    """Yield what is looked up before a guard that does not need it, and this guard.

    :param order: the dependencies of a function in the order in which they run.
    """
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
