"""Patches: the name ``openapi`` of a file, a JSON merge patch (RFC 7396) of the document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..mount import Mount
from .operations import Operation


def merge(target: Any, patch: Any) -> Any:
    """Return a value with a merge patch applied: ``None`` removes, mappings are merged."""
    if not isinstance(patch, Mapping):
        return patch
    merged = dict(target) if isinstance(target, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge(merged.get(key), value)
    return merged


def apply_patches(
    mount: Mount, operation: Operation, described: dict[str, Any]
) -> dict[str, Any] | None:
    """Return an operation with the patches of all files on its way.

    They are applied in this order: middleware from the outside in, dependencies as they run, the
    route file, its method. The security of the first two is combined before.

    :returns: ``None`` if a patch hides it.
    """
    patches: list[Any] = []
    for file in operation.middleware:
        patches.append(_without_security(mount.patches.get(file, {})))
    for name, file in operation.dependencies:
        of_file = mount.patches.get(file, {})
        patches.append(_without_security(of_file.get(name, {})))
    of_route = mount.patches.get(operation.route.file.file, {})
    if of_route is False:
        return None
    patches.append({key: value for key, value in of_route.items() if not key.isupper()})
    patches.append(of_route.get(operation.method, {}))
    for patch in patches:
        if patch is False:
            return None
        described = merge(described, patch)
    return described


def _without_security(patch: Any) -> Any:
    if not isinstance(patch, Mapping):
        return patch
    return {key: value for key, value in patch.items() if key != "security"}
