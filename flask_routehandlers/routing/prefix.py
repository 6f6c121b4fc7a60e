"""What stands in front of every URL of a tree."""

from __future__ import annotations

import re
from pathlib import PurePath

from werkzeug.routing import BaseConverter, Map

from ..tree.grammar import RESERVED_NAMES, SegmentError, parse_segment
from ..tree.segments import Segment, Static
from .converters import UNCLEAN
from .rules import RouteRule


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
    hint = f"Did you mean {'/' + '/'.join(parts)!r}?" if parts else "Write url_prefix='' for none."
    if not parts or prefix != "/" + "/".join(parts):
        raise ValueError(
            f"The url_prefix {prefix!r} must start with a slash, not end with one, "
            f"and have no empty segment, . or .. in it. {hint}"
        )
    return prefix


def _prefix_rule(url_map: Map, prefix: str) -> RouteRule:
    rule = RouteRule(prefix, prefix=prefix)
    rule.bind(url_map)
    return rule


def prefix_parameters(url_map: Map, prefix: str) -> dict[str, BaseConverter]:
    """The parameters of a URL prefix, ``/<lang>/api``, with their converters.

    :raises LookupError: for a converter that the map does not know.
    :raises ValueError: for a prefix that is no rule.
    """
    if not prefix:
        return {}
    rule = _prefix_rule(url_map, prefix)
    if sum(is_parameter for is_parameter, _ in rule._trace) > len(rule._converters):
        raise ValueError("two of its parameters have one name")
    for name, converter in rule._converters.items():
        if not converter.part_isolating:
            raise ValueError(f"its parameter {name!r} can match several segments")
        if name in RESERVED_NAMES:
            raise ValueError(f"{name!r} already names an argument of handlers and middleware")
    text = "".join(text for is_parameter, text in rule._trace if not is_parameter)
    if re.search(f"[{UNCLEAN}]", text):
        raise ValueError("it has a character that no clean path has")
    return rule._converters


def prefix_pattern(url_map: Map, prefix: str) -> re.Pattern[str] | None:
    """What matches a path that begins with a prefix, or ``None`` for an empty one."""
    if not prefix:
        return None
    rule = _prefix_rule(url_map, prefix)
    path = rule._trace[rule._trace.index((False, "|")) + 1 :]
    regex = "".join(
        f"(?:{rule._converters[text].regex})" if is_parameter else re.escape(text)
        for is_parameter, text in path
    )
    return re.compile(rf"{regex}(?:/|\Z)")
