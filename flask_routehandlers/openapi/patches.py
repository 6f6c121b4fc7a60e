"""Patches: the name ``openapi`` of a file, a JSON merge patch (RFC 7396) of the document.

A mount has the patches of its files as they were written. Here those of one operation are found
and applied; ``patch_problems`` has refused at start-up whatever is not of the right form, so
nothing is checked.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

from ..mount import Mount


class Patch(NamedTuple):
    """A patch of an operation.

    :param file: the file that has it, relative to the root.
    :param keys: where it is in ``openapi``: a method, the name of a dependency, or nothing.
    :param value: the patch, or ``False`` to hide the operation.
    :param is_shared: whether it is of a middleware or a dependency. The security that these
        name is needed in addition to that of others.
    """

    file: str
    keys: tuple[str, ...]
    value: Mapping[str, Any] | Literal[False]
    is_shared: bool


def merge(target: Any, patch: Any) -> Any:
    """Return a value with a merge patch applied: ``None`` removes, mappings are merged.

    ``merge({"a": 1, "b": {"c": 2}}, {"a": None, "b": {"d": 3}})`` is ``{"b": {"c": 2, "d": 3}}``.
    A list replaces a list (RFC 7396, section 2). Neither value is changed.
    """
    if not isinstance(patch, Mapping):
        return patch
    merged = {}
    if isinstance(target, Mapping):
        merged = dict(target)
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge(merged.get(key), value)
    return merged


def find_patches(
    mount: Mount, file: str, method: str, shared: Iterable[tuple[str, tuple[str, ...]]]
) -> Iterator[Patch]:
    """Return the patches of an operation in the order in which they are applied.

    :param file: the route file, relative to the root.
    :param method: the method, in upper case.
    :param shared: where those of its middleware and dependencies are: files, and keys in them.
    """
    for other, keys in shared:
        value = mount.patches.get(other, {})
        for key in keys:
            value = value.get(key, {})
        yield Patch(other, keys, value, is_shared=True)
    patch = mount.patches.get(file, {})
    if patch is False:
        yield Patch(file, (), False, is_shared=False)
        return
    fields = {name: value for name, value in patch.items() if not name.isupper()}
    yield Patch(file, (), fields, is_shared=False)
    if method in patch:
        yield Patch(file, (method,), patch[method], is_shared=False)


def apply_patches(described: Any, patches: Iterable[Patch]) -> Any:
    """Return an Operation Object with its patches.

    The security of shared patches is a part of it already: it is combined with that of
    credentials, where a merge would replace it.
    """
    for patch in patches:
        assert patch.value is not False, "hidden operations are not described"
        value = patch.value
        if patch.is_shared:
            value = {key: field for key, field in value.items() if key != "security"}
        described = merge(described, value)
    return described


def spell_keys(keys: Iterable[str]) -> str:
    """Return an expression for a part of a patch: ``openapi["GET"]["tags"]``."""
    return "openapi" + "".join(f"[{json.dumps(key)}]" for key in keys)
