"""The spelling of segments as folder names, for the grammar and its hints."""

from __future__ import annotations

import keyword
import re
import unicodedata
from urllib.parse import unquote

#: Arguments that a handler or a middleware receives in addition to the path parameters.
RESERVED_NAMES = frozenset({"request", "params", "call_next"})

#: A character that looks like three dots.
ELLIPSIS = "\u2026"

#: The characters that mean something in a folder name outside of brackets, percent-encoded.
ESCAPED = re.compile("%(28|29|2E|40|5F)")

_FOREIGN_PARAMETER = re.compile(r":(\w+)|\{(\w+)(?::(\w+))?\}|<(?:(\w+):)?(\w+)>")


def literal(text: str) -> str:
    """Return the text of a URL for a folder name, or for a piece of one.

    The result is in Unicode's composed form (NFC) on every machine, since some file systems
    store a decomposed name.
    """
    return unicodedata.normalize("NFC", ESCAPED.sub(lambda match: unquote(match[0]), text))


def escape(text: str) -> str:
    """Return the folder name for a literal segment: ``%40me`` for ``@me``."""
    if text[:1] in ("_", ".", "@"):
        text = f"%{ord(text[0]):02X}{text[1:]}"
    return text.replace("(", "%28").replace(")", "%29")


def guess_parameter(folder: str) -> str | None:
    """Translate a parameter from another framework's syntax: ``[id]`` for ``:id``.

    :returns: the folder name, or ``None`` if the name does not look like a parameter.
    """
    match = _FOREIGN_PARAMETER.fullmatch(folder)
    if match is None:
        return None
    return spell_parameter(match[1] or match[2] or match[5], match[3] or match[4])


def spell_parameter(name: str, converter: str | None) -> str:
    """Return a parameter with one of Werkzeug's converters, or the app's, as a folder name."""
    name = valid_name(name)
    if converter == "path":
        return f"[...{name}]"
    if converter in (None, "any", "default", "string"):
        return f"[{name}]"
    return f"[{name}={converter}]"


def valid_name(inner: str) -> str:
    """Return the closest valid parameter name to the text between brackets."""
    name = unicodedata.normalize("NFKC", inner.partition("=")[0].lstrip(ELLIPSIS))
    name = "".join(c if f"a{c}".isidentifier() else " " for c in name)
    name = "_".join(name.split()).strip("_") or "name"
    if not name.isidentifier():
        name = f"n{name}"
    if keyword.iskeyword(name) or name in RESERVED_NAMES:
        return f"{name}_"
    return name
