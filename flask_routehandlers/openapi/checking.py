"""Find problems of patches, documents and pages, before the first request.

``build`` calls :func:`find_problems` for a tree that uses OpenAPI, and refuses to start with any
of its problems. What costs a whole document to find is left to ``validation``, which ``flask
route-handlers check`` calls.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from importlib.util import find_spec

from ..errors import Problem, install_hint
from ..mount import Mount, Route
from ..tree.segments import CatchAll
from .operations import Operation, find_operations, is_document, operation_ids, own_handler
from .page import PACKAGE, find_document
from .patch_problems import find_patch_problems
from .patches import apply_patches


def find_problems(mount: Mount) -> Iterator[Problem]:
    """Find what keeps the documents of a mount from being made or shown.

    Names of operations are compared only if all patches are right, since a patch can name one.
    """
    in_patches = list(find_patch_problems(mount))
    yield from in_patches
    for route in mount.routes:
        if is_document(route) and not in_patches:
            yield from find_repeated_ids(mount, route.file.folders[:-1])
        if own_handler(route) == "docs":
            yield from _find_in_page(mount, route)


def find_repeated_ids(mount: Mount, folders: tuple[str, ...]) -> Iterator[Problem]:
    """Find operations of one name in a folder and below.

    OpenAPI requires that each ``operationId`` is unique in a document, and generators of clients
    make a function of each.
    """
    by_name: dict[str, list[Operation]] = defaultdict(list)
    operations = list(find_operations(mount, folders))
    for operation, name in operation_ids(operations).items():
        patched = apply_patches({"operationId": name}, operation.patches)
        if "operationId" in patched:
            by_name[patched["operationId"]].append(operation)
    for name, group in by_name.items():
        if len(group) > 1:
            names = " and ".join(f"{each.method} {each.template}" for each in group)
            method = group[0].method
            yield Problem(
                f"{names} have the same operationId, {name}.",
                f'Give one of them another: openapi = {{"{method}": {{"operationId": "..."}}}}.',
                tuple(dict.fromkeys(operation.route.file.file for operation in group)),
            )


def _find_in_page(mount: Mount, route: Route) -> Iterator[Problem]:
    """Find what keeps a page from being shown: its folder, or what is missing."""
    file = route.file
    last = file.segments[-1] if file.segments else None
    if not (isinstance(last, CatchAll) and last.optional):
        target = "/".join([*file.folders, "[[...asset]]", "route.py"])
        yield Problem(
            "docs serves the files of its page too, and needs an optional catch-all for them.",
            f"Move the file to {target}.",
            (file.file,),
        )
    elif find_document(mount, route) is None:
        folder = "/".join([*file.folders[:-2], "openapi.json"])
        yield Problem(
            "docs has no document to show.",
            f"Run flask route-handlers new {folder} --openapi, which writes one.",
            (file.file,),
        )
    if find_spec(PACKAGE) is None:
        yield Problem(
            "docs needs Swagger UI, which is not installed.",
            install_hint("openapi"),
            (file.file,),
        )
