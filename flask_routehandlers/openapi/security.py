"""Security schemes, and what each operation requires."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import product
from typing import Any

from ..contracts.markers import Scheme
from ..mount import Mount
from .operations import Operation

#: A Security Requirement Object: the schemes that are needed together, with their scopes.
Requirement = dict[str, list[str]]


def name_of(scheme: Scheme) -> str:
    """Return the name of a scheme in the components."""
    name = scheme.scheme or scheme.header or scheme.cookie or ""
    return name[0].lower() + name[1:].replace("-", "")


def make_schemes(operations: Iterable[Operation]) -> dict[str, Any]:
    """Return the Security Scheme Objects of all credentials that operations read."""
    schemes: dict[str, Any] = {}
    for operation in operations:
        for credential in operation.credentials:
            schemes[name_of(credential.scheme)] = _describe(credential.scheme)
    return schemes


def _describe(scheme: Scheme) -> dict[str, Any]:
    if scheme.header:
        return {"type": "apiKey", "in": "header", "name": scheme.header}
    if scheme.cookie:
        return {"type": "apiKey", "in": "cookie", "name": scheme.cookie}
    return {"type": "http", "scheme": (scheme.scheme or "").lower()}


def make_requirements(mount: Mount, operation: Operation) -> list[Requirement]:
    """Return the alternatives of what an operation requires; none of them if it is public.

    Everything that its functions read, and that patches of middleware and dependencies name, is
    needed together. A credential is optional only if all are.
    """
    alternatives: list[list[Requirement]] = []
    derived: Requirement = {name_of(each.scheme): [] for each in operation.credentials}
    if derived:
        is_optional = all(credential.is_optional for credential in operation.credentials)
        alternatives.append([{}, derived] if is_optional else [derived])
    for file in operation.middleware:
        alternatives += _of_patch(mount.patches.get(file))
    for name, file in operation.dependencies:
        patch = mount.patches.get(file)
        if isinstance(patch, Mapping):
            alternatives += _of_patch(patch.get(name))
    return combine(alternatives)


def _of_patch(patch: object) -> list[list[Requirement]]:
    if isinstance(patch, Mapping) and patch.get("security"):
        return [patch["security"]]
    return []


def combine(alternatives: Iterable[list[Requirement]]) -> list[Requirement]:
    """Return the alternatives that fulfil each of several lists of alternatives."""
    combined: list[Requirement] = []
    for choice in product(*alternatives):
        requirement: Requirement = {}
        for part in choice:
            for name, scopes in part.items():
                requirement[name] = list(dict.fromkeys([*requirement.get(name, []), *scopes]))
        if requirement not in combined:
            combined.append(requirement)
    return [] if combined == [{}] else combined
