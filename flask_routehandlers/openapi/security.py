"""Security schemes, and what each operation requires.

A credential in a signature (``token: Bearer``) declares a scheme and requires it. In OpenAPI,
``security`` is a list of alternatives, each a dict of schemes that are needed together:
``[{"bearer": []}, {"key": [], "session": []}]``. An empty dict is the alternative without any.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import product
from typing import Any

from ..contracts.markers import Scheme
from .operations import Operation

#: A Security Requirement Object: the schemes that are needed together, with their scopes.
Requirement = dict[str, list[str]]


class Schemes:
    """The security schemes of the credentials that operations read.

    They are named ``bearer`` for ``Scheme("Bearer")``, ``xKey`` for the header X-Key. Of a header
    and a cookie of one name, the later one has the longer name: ``keyCookie``.
    """

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._names: dict[Scheme, str] = {}
        #: The Security Scheme Objects by name.
        self.components: dict[str, Any] = {}
        for operation in operations:
            for scheme in (credential.scheme for credential in operation.credentials):
                described = _describe(scheme)
                name = re.sub(r"[^\w.]", "", scheme.scheme or scheme.header or scheme.cookie or "")
                name = name[:1].lower() + name[1:]
                if self.components.get(name, described) != described:
                    name += str(described.get("in", "http")).capitalize()
                self._names[scheme] = name
                self.components[name] = described

    def make_requirements(self, operation: Operation) -> list[Requirement]:
        """Return the alternatives of what an operation requires; none of them if it is public.

        Everything that its functions require, and that patches of middleware and dependencies
        name, is needed together. What is optional everywhere makes an alternative: ``token: Bearer
        | None = None`` alone gives ``[{}, {"bearer": []}]``.
        """
        required: Requirement = {}
        optional: Requirement = {}
        for credential in operation.credentials:
            group = optional if credential.is_optional else required
            group[self._names[credential.scheme]] = []
        alternatives = [[required, *({**required, name: []} for name in optional)]]
        for patch in operation.patches:
            if patch.is_shared and patch.value and patch.value.get("security"):
                alternatives.append(patch.value["security"])
        return combine(alternatives)


def _describe(scheme: Scheme) -> dict[str, Any]:
    """Return the Security Scheme Object of a scheme.

    The name of an authentication scheme is in lower case, as in the examples of OpenAPI. Its case
    has no meaning (RFC 9110, section 11.1).
    """
    if scheme.header:
        return {"type": "apiKey", "in": "header", "name": scheme.header}
    if scheme.cookie:
        return {"type": "apiKey", "in": "cookie", "name": scheme.cookie}
    return {"type": "http", "scheme": (scheme.scheme or "").lower()}


def combine(alternatives: Iterable[Iterable[Requirement]]) -> list[Requirement]:
    """Return the alternatives that fulfil each of several lists of alternatives.

    ``[[{"a": []}, {"b": []}], [{"c": []}]]`` gives ``[{"a": [], "c": []}, {"b": [], "c": []}]``.
    Where nothing is required the result is empty, as OpenAPI writes it.
    """
    combined: list[Requirement] = []
    for choice in product(*alternatives):
        requirement: Requirement = {}
        for part in choice:
            for name, scopes in part.items():
                requirement[name] = list(dict.fromkeys([*requirement.get(name, []), *scopes]))
        if requirement not in combined:
            combined.append(requirement)
    if combined == [{}]:
        return []
    return combined
