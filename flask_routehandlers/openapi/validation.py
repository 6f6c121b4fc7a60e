"""Check whole documents: for ``flask route-handlers check``.

This makes every document of an app, which the start does not. Some of its problems are warnings,
about what is missing in a document. Others are errors and name the patch that caused them, since
everything else in a document is made by this package or by a validating library.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from textwrap import shorten
from typing import Any

from flask import Flask

from ..errors import Problem
from ..mount import Mount
from .document import Document, make_document
from .operations import METHODS, Operation, find_operations, find_routes, is_document
from .patches import Patch, spell_keys


def find_document_problems(app: Flask, mount: Mount) -> Iterator[Problem]:
    """Find errors in the documents of a mount, and warnings of what is missing in them.

    They are compared with the specification only if ``openapi-spec-validator`` is installed, as in
    an environment for development. Nothing else needs the package.
    """
    for route in filter(is_document, mount.routes):
        file, folders = route.file.file, route.file.folders[:-1]
        document = make_document(app, mount, folders, file)
        patch = Patch(file, (), mount.patches.get(file, {}), is_shared=False)
        operations = list(find_operations(mount, folders))
        yield from _find_missing_info(patch)
        yield from _find_unknown_schemes(document, patch, operations)
        yield from _find_unlisted(mount, folders)
        if find_spec("openapi_spec_validator"):
            yield from _validate(document, patch, operations)


def _find_unlisted(mount: Mount, folders: tuple[str, ...]) -> Iterator[Problem]:
    """Find methods that OpenAPI cannot describe, such as ``QUERY``."""
    for route in find_routes(mount, folders):
        for method in route.handlers:
            if method.lower() not in METHODS:
                yield Problem(
                    f"OpenAPI 3.1 cannot describe {method}, so the document leaves it out.",
                    "Describe it in a docstring or in info.description, or answer POST too.",
                    (route.file.file,),
                    "warning",
                )


def _find_missing_info(patch: Patch) -> Iterator[Problem]:
    """Find fields of ``info`` that the patch of the document leaves at their default."""
    info = (patch.value and patch.value.get("info")) or {}
    missing = [name for name in ("title", "version") if not info.get(name)]
    if missing:
        yield Problem(
            f"The document has no {' and no '.join(missing)} but the default.",
            'Write openapi = {"info": {"title": "Shop", "version": "1.0"}}.',
            (patch.file,),
            "warning",
        )


def _find_unknown_schemes(
    document: Document, patch: Patch, operations: Iterable[Operation]
) -> Iterator[Problem]:
    """Find names of security schemes that nothing declares, each once for each file.

    :param patch: that of the document.
    """
    declared = document.get("components", {}).get("securitySchemes", {})
    patches = {(each.file, each.keys): each for op in operations for each in op.patches}
    reported = set()
    for part in (patch, *patches.values()):
        security = part.value and part.value.get("security")
        for name in (name for requirement in security or () for name in requirement):
            if name not in declared and (part.file, name) not in reported:
                reported.add((part.file, name))
                yield Problem(
                    f'{spell_keys(part.keys)}["security"] names {name}, which is not a security '
                    "scheme of the document.",
                    f'Declare it in {patch.file}: openapi = {{"components": '
                    f'{{"securitySchemes": {{"{name}": {{...}}}}}}}}.',
                    (part.file,),
                )


def _validate(
    document: Document, patch: Patch, operations: Iterable[Operation]
) -> Iterator[Problem]:
    """Compare a document with the specification.

    The specification is a JSON Schema with many alternatives, so an error such as "is not valid
    under any of the given schemas" has others in its context. The one that goes furthest into the
    document is reported.

    :param patch: that of the document, which is named if no other has changed the part.
    """
    for error in _iterate_errors(document):
        while error.context:
            error = max(error.context, key=lambda each: len(each.absolute_path))
        path = [str(step) for step in error.absolute_path]
        source, below = _find_source(path, patch, operations)
        yield Problem(
            f"{spell_keys([*source.keys, *below])} makes the document invalid: "
            f"{shorten(error.message.splitlines()[0], 200)}.",
            "Write it as OpenAPI 3.1 defines it.",
            (source.file,),
        )


def _iterate_errors(document: Document) -> Iterator[Any]:
    """Return the errors that the package ``openapi-spec-validator`` finds."""
    from openapi_spec_validator import OpenAPIV31SpecValidator

    try:
        yield from OpenAPIV31SpecValidator(document).iter_errors()
    except Exception:  # it goes on after an error in the structure, and fails at it
        return


def _find_source(
    path: Sequence[str], patch: Patch, operations: Iterable[Operation]
) -> tuple[Patch, list[str]]:
    """Return the patch that changed a part of the document, and the keys in it.

    ``["paths", "/a", "get", "tags"]`` leads to the patch of the operation with ``tags``; the last
    of several has won in the merge. For a path that no patch has, it is that of the document.

    :param path: the keys that lead to the part.
    :param patch: that of the document.
    """
    candidates = []
    for operation in operations:
        if path[:3] == ["paths", operation.template, operation.method.lower()]:
            candidates += [(each, list(path[3:])) for each in operation.patches]
    # The last one of those that lead as far as any.
    candidates = [(patch, list(path)), *reversed(candidates)]
    return max(candidates, key=lambda candidate: _depth(candidate[0].value, candidate[1]))


def _depth(value: Any, keys: Sequence[str]) -> int:
    """Return how many of some keys lead into a value."""
    depth = 0
    for key in keys:
        if not isinstance(value, Mapping) or key not in value:
            break
        value, depth = value[key], depth + 1
    return depth
