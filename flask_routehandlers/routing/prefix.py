"""The part before every URL of a tree."""

from __future__ import annotations

import re
from pathlib import PurePath

from werkzeug.routing import BaseConverter, Map

from ..tree.grammar import SegmentError, parse_segment
from ..tree.segments import Group, Segment, Static
from ..tree.spelling import RESERVED_NAMES
from .converters import UNCLEAN
from .rules import RouteRule


def default_prefix(root_path: str, root: str) -> str:
    """Return the part of a root below its ``app`` folder: ``/api`` for ``app/api``.

    Only the part below ``app.root_path`` counts, so a project that is in ``/app`` is not affected.

    :param root_path: the app's ``root_path``.
    :param root: the absolute path of the root.
    :raises ValueError: if one of the folders is not a static segment or a group.
    """
    path = PurePath(root)
    if not path.is_relative_to(root_path):
        return ""
    parts = path.relative_to(root_path).parts
    if "app" not in parts:
        return ""
    prefix = ""
    for folder in parts[parts.index("app") + 1 :]:
        segment = _parse(folder)
        if isinstance(segment, Static):
            prefix += f"/{segment.text}"
        elif not isinstance(segment, Group):
            raise ValueError(
                f"The root {root} has no default URL prefix, because of its folder {folder}. "
                'Pass one: RouteHandlers(app, root, url_prefix="/api").'
            )
    return prefix


def _parse(folder: str) -> Segment | None:
    try:
        return parse_segment(folder)
    except SegmentError:
        return None


def check_prefix(prefix: str) -> str:
    """Refuse a prefix that cannot be at the start of a URL.

    :returns: the same prefix.
    :raises ValueError: for a prefix without a slash at its start, with one at its end, or with a
        segment that no clean path has.
    """
    if not prefix:
        return prefix
    parts = [part for part in prefix.split("/") if part not in ("", ".", "..")]
    clean = "/" + "/".join(parts)
    if parts and prefix == clean:
        return prefix
    hint = "Write url_prefix='' for none."
    if parts:
        hint = f"Did you mean {clean!r}?"
    raise ValueError(
        f"The url_prefix {prefix!r} must start with a slash, must not end with one, "
        f"and cannot have an empty segment, . or .. in it. {hint}"
    )


def _prefix_rule(url_map: Map, prefix: str) -> RouteRule:
    rule = RouteRule(prefix, prefix=prefix)
    rule.bind(url_map)
    return rule


def prefix_parameters(
    url_map: Map, prefix: str, subdomain: str | None = None
) -> dict[str, BaseConverter]:
    """Return the parameters before those of a tree, with their converters.

    :param prefix: the URL prefix, ``/<lang>/api``.
    :param subdomain: the subdomain, ``<tenant>``.
    :raises LookupError: for a converter that the map does not have.
    :raises ValueError: for a prefix or a subdomain that is not a valid rule.
    """
    if not prefix and not subdomain:
        return {}
    rule = RouteRule(prefix or "/", prefix=prefix, subdomain=subdomain)
    rule.bind(url_map)
    if sum(is_parameter for is_parameter, _ in rule._trace) > len(rule._converters):
        raise ValueError("two of its parameters have the same name")
    for name, converter in rule._converters.items():
        if not converter.part_isolating:
            raise ValueError(
                f"its parameter {name!r} can match several segments, since the part_isolating of "
                "its converter is false"
            )
        if name in RESERVED_NAMES:
            raise ValueError(f"{name!r} is already an argument of handlers and middleware")
    text = "".join(text for is_parameter, text in rule._trace if not is_parameter)
    if re.search(f"[{UNCLEAN}]", text):
        raise ValueError("it has a character that no clean path has")
    return rule._converters


def prefix_pattern(url_map: Map, prefix: str) -> re.Pattern[str] | None:
    """Return a pattern for paths that start with a prefix, or ``None`` for an empty prefix."""
    if not prefix:
        return None
    rule = _prefix_rule(url_map, prefix)
    regex = ""
    for is_parameter, text in rule.pieces:
        if is_parameter:
            regex += f"(?:{rule._converters[text].regex})"
        else:
            regex += re.escape(text)
    return re.compile(rf"{regex}(?:/|\Z)")
