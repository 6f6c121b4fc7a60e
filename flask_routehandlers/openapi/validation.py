"""Check whole documents: for ``flask route-handlers check``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from typing import Any

from flask import Flask

from ..errors import Problem
from ..mount import Mount, Route
from .document import Document, make_document
from .operations import Operation, find_operations, find_unlisted, is_document


def find_document_problems(app: Flask, mount: Mount) -> Iterator[Problem]:
    """Find what is wrong with the documents of a mount, or missing in them."""
    for route in mount.routes:
        if not is_document(route):
            continue
        folders = route.file.folders[:-1]
        document = make_document(app, mount, folders, route.file.file)
        yield from _find_missing_info(mount, route)
        yield from _find_unknown_schemes(route, document)
        for file, method in find_unlisted(mount, folders):
            yield Problem(
                f"OpenAPI 3.1 cannot describe {method}, so {route.file.file} leaves it out.",
                "Describe it in the text of the document, or answer POST too.",
                (file,),
                "warning",
            )
        if find_spec("openapi_spec_validator"):
            operations = list(find_operations(app, mount, folders))
            yield from _validate(mount, route, document, operations)


def _find_missing_info(mount: Mount, route: Route) -> Iterator[Problem]:
    patch = mount.patches.get(route.file.file)
    info = patch.get("info") if isinstance(patch, Mapping) else None
    missing = [name for name in ("title", "version") if not (info or {}).get(name)]
    if missing:
        yield Problem(
            f"The document has no {' and no '.join(missing)} of its own.",
            'Write openapi = {"info": {"title": "Shop", "version": "1.0"}}.',
            (route.file.file,),
            "warning",
        )


def _find_unknown_schemes(route: Route, document: Document) -> Iterator[Problem]:
    declared = document.get("components", {}).get("securitySchemes", {})
    used: dict[str, str] = {}
    for path, item in document["paths"].items():
        for method, operation in item.items():
            for requirement in operation.get("security", ()) if method != "parameters" else ():
                for name in requirement:
                    used.setdefault(name, f"{method.upper()} {path}")
    for requirement in document.get("security", ()):
        for name in requirement:
            used.setdefault(name, "the document")
    for name in used.keys() - declared.keys():
        yield Problem(
            f"{used[name]} requires {name!r}, which is not one of components.securitySchemes.",
            f'Declare {name!r} in openapi["components"]["securitySchemes"].',
            (route.file.file,),
            "warning",
        )


def _validate(
    mount: Mount, route: Route, document: Document, operations: list[Operation]
) -> Iterator[Problem]:
    """Compare a document with the specification, if the package for it is installed."""
    from openapi_spec_validator import OpenAPIV31SpecValidator

    for error in OpenAPIV31SpecValidator(document).iter_errors():
        path = list(error.absolute_path)
        files = _find_patched(mount, path, operations) or [route.file.file]
        place = "".join(f"[{step!r}]" for step in path)
        yield Problem(
            f"The document is not valid at {place or 'its top'}: {error.message}.",
            "Correct the value in openapi.",
            tuple(files),
        )


def _find_patched(mount: Mount, path: list[Any], operations: list[Operation]) -> list[str]:
    """Return the files whose patches changed an operation."""
    for operation in operations:
        if path[:3] == ["paths", operation.path.template, operation.method.lower()]:
            files = [*operation.middleware, *(file for _, file in operation.dependencies)]
            return [f for f in [*files, operation.route.file.file] if f in mount.patches]
    return []
