"""What stands in front of every URL of a tree."""

from __future__ import annotations

from pathlib import PurePath

from .grammar import SegmentError, parse_segment
from .segments import Segment, Static


def default_prefix(root_path: str, root: str) -> str:
    """The part of a root below its ``app`` folder: ``app/api`` gives ``/api``.

    Only the part below ``app.root_path`` is read, so a project that lives in ``/app`` is not
    affected.

    :param root_path: the app's ``root_path``.
    :param root: the absolute path of the root.
    :raises ValueError: for a folder that is no static text in a URL.
    """
    below = PurePath(root)
    if not below.is_relative_to(root_path) or "app" not in below.relative_to(root_path).parts:
        return ""
    parts = below.relative_to(root_path).parts
    prefix = ""
    for folder in parts[parts.index("app") + 1 :]:
        segment = _parse(folder)
        if segment is None or segment.parameters or "<" in folder:
            raise ValueError(
                f"The root {root} has {folder} in it, so its URL prefix cannot be guessed. "
                'Say it: RouteHandlers(app, root, url_prefix="/<name>").'
            )
        if isinstance(segment, Static):
            prefix += f"/{segment.text}"
    return prefix


def _parse(folder: str) -> Segment | None:
    try:
        return parse_segment(folder)
    except SegmentError:
        return None


def check_prefix(prefix: str) -> str:
    """Refuse what cannot stand in front of a URL.

    :raises ValueError: for a prefix without a slash in front, with one at its end, or with a
        segment that no clean path has.
    """
    if not prefix:
        return prefix
    parts = [part for part in prefix.split("/") if part not in ("", ".", "..")]
    cure = f"Did you mean {'/' + '/'.join(parts)!r}?" if parts else "Write url_prefix='' for none."
    if not parts or prefix != "/" + "/".join(parts):
        raise ValueError(
            f"The url_prefix {prefix!r} must start with a slash, not end with one, "
            f"and have no empty segment, . or .. in it. {cure}"
        )
    return prefix
