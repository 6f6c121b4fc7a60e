"""The grammar of folder names. A name is parsed once; everything else reads the result.

    segment   = static | dynamic | catch-all | group
    static    = text
    dynamic   = [text] parameter {text parameter} [text]
    parameter = "[" name ["=" converter] "]"
    catch-all = "[..." name "]" | "[[..." name "]]"
    group     = "(" text ")"

Everything else is refused, with a hint for the name that was probably meant.
"""

from __future__ import annotations

import keyword
import re
import unicodedata
from urllib.parse import unquote

from ..errors import ProblemError
from .segments import CatchAll, Dynamic, Group, Parameter, Segment, Static

#: Arguments that a handler or a middleware receives in addition to the path parameters.
RESERVED_NAMES = frozenset({"request", "params", "call_next"})

_CONVERTER_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_FLASK_STYLE = re.compile(r"([A-Za-z_][A-Za-z0-9_]*):(\w+)")
_FOREIGN_PARAMETER = re.compile(r":(\w+)|\{(\w+)(?::(\w+))?\}|<(?:(\w+):)?(\w+)>")
_FORBIDDEN = re.compile(r"[<>\\\ufffd\ud800-\udfff]|%(?!5F)")
_INTERCEPTION = re.compile(r"\((\.{1,3})\)")
_BRACKETS = re.compile(r"\[([^\[\]]*)\]")
_DOUBLE_BRACKETS = re.compile(r"\[\[([^\[\]]*)\]\]")
_ELLIPSIS = "\u2026"


class SegmentError(ProblemError):
    """A folder name that the grammar refuses."""


def parse_segment(folder: str) -> Segment:
    """Parse one folder name.

    :param folder: the name of a folder that :func:`~.segments.is_walked` accepts.
    :raises SegmentError: if the grammar refuses the name.
    """
    _check_characters(folder)
    if "[" in folder or "]" in folder:
        return _parse_brackets(folder)
    if folder[0] == "@":
        name = _strip_parentheses(folder[1:])
        raise SegmentError(
            "Parallel route slots (@name) are for pages; route handlers do not have them.",
            f"Rename the folder to {name!r}, or to a group, ({name}).",
        )
    if "(" in folder or ")" in folder:
        return _parse_group(folder)
    return Static(folder, literal(folder))


def literal(text: str) -> str:
    """Return the text of a URL for a folder name, or for a piece of one.

    The result is in Unicode's composed form (NFC) on every machine, since some file systems
    store a decomposed name.
    """
    return unicodedata.normalize("NFC", text.replace("%5F", "_"))


def guess_parameter(folder: str) -> str | None:
    """Translate a parameter from another framework's syntax: ``[id]`` for ``:id``.

    :returns: the folder name, or ``None`` if the name does not look like a parameter.
    """
    match = _FOREIGN_PARAMETER.fullmatch(folder)
    if match is None:
        return None
    name = _valid_name(match[1] or match[2] or match[5])
    converter = match[3] or match[4]
    if converter == "path":
        return f"[...{name}]"
    if converter:
        return f"[{name}={converter}]"
    return f"[{name}]"


def _check_characters(folder: str) -> None:
    """Refuse a name with a character that Flask or a proxy would give another meaning."""
    match = _FORBIDDEN.search(folder)
    if match is not None:
        character = match[0]
    else:
        character = next((c for c in folder if unicodedata.category(c) == "Cc"), "")
    if character == "%":
        raise SegmentError(
            "Folder names are not percent-decoded; only %5F, for an underscore, is.",
            _suggest_decoded(folder),
        )
    if character:
        meant = guess_parameter(folder)
        hint = "Remove it from the name."
        if meant:
            hint = f"Did you mean {meant}?"
        raise SegmentError(f"A folder name cannot contain the character {character!a}.", hint)


def _suggest_decoded(folder: str) -> str:
    """Return the hint for a folder name with percent-encoding."""
    decoded = unquote(re.sub("%5f", "%255F", folder, flags=re.IGNORECASE))
    if decoded.isprintable() and "/" not in decoded and not _FORBIDDEN.search(decoded):
        return f"Rename the folder to {decoded}."
    return "Remove the % from the name."


def _parse_group(folder: str) -> Group:
    """Parse a folder name with parentheses and no brackets."""
    if _INTERCEPTION.match(folder):
        name = _strip_parentheses(_INTERCEPTION.sub("", folder))
        raise SegmentError(
            "Intercepting routes, such as (.)photo, are for pages; route handlers do not have "
            "them.",
            f"Rename the folder to {name!r}.",
        )
    inner = folder[1:-1]
    if folder[0] != "(" or folder[-1] != ")" or "(" in inner or ")" in inner:
        name = _strip_parentheses(folder)
        raise SegmentError(
            "Parentheses mark a group, and a group cannot be combined with text.",
            f"Write ({name}) for a group, or {name} for a segment of the URL.",
        )
    if not inner.strip():
        raise SegmentError("A group needs a name.", "Write (name).")
    return Group(folder)


def _parse_brackets(folder: str) -> Segment:
    """Parse a folder name with square brackets: parameters or a catch-all."""
    if "(" in folder or ")" in folder:
        raise SegmentError(
            "A folder cannot combine a group with a parameter, and a converter takes no "
            "arguments.",
            "Write (name)/[name], or register your own converter and write [name=converter].",
        )
    whole = _DOUBLE_BRACKETS.fullmatch(folder)
    if whole:
        return _parse_optional(folder, whole[1])
    for inner in _DOUBLE_BRACKETS.findall(folder):
        if inner.startswith("..."):
            raise _not_alone(f"[[...{_valid_name(inner[3:])}]]")
    # Text and the insides of brackets by turns, text first and last.
    parts = _BRACKETS.split(folder)
    if any("[" in text or "]" in text for text in parts[::2]):
        raise SegmentError(
            "The brackets are unbalanced or nested.", "Write [name], [...name] or [[...name]]."
        )
    for inner in parts[1::2]:
        if inner.startswith("..."):
            if len(parts) > 3 or parts[0] or parts[2]:
                raise _not_alone(f"[...{_valid_name(inner[3:])}]")
            return _parse_catch_all(folder, inner[3:], optional=False)
    return _parse_dynamic(folder, parts)


def _parse_optional(folder: str, inner: str) -> CatchAll:
    """Parse a folder name in double brackets.

    :param inner: the text between the brackets.
    """
    if inner.startswith("..."):
        return _parse_catch_all(folder, inner[3:], optional=True)
    name = _valid_name(inner)
    if inner.startswith(_ELLIPSIS):
        raise _ellipsis(f"[[...{name}]]")
    raise SegmentError(
        "An optional segment is not supported; only a catch-all can be optional.",
        f"Write [{name}], and add a route.py to the folder above for the URL without it.",
    )


def _parse_catch_all(folder: str, name: str, *, optional: bool) -> CatchAll:
    """Return a catch-all, once its name is checked."""
    before, after = "[...", "]"
    if optional:
        before, after = "[[...", "]]"
    if "=" in name:
        raise SegmentError(
            "A catch-all cannot have a converter: its handler receives a list of str.",
            f"Write {before}{_valid_name(name)}{after}.",
        )
    _check_name(name, before, after)
    return CatchAll(folder, name, optional)


def _parse_dynamic(folder: str, parts: list[str]) -> Dynamic:
    """Parse a folder name with parameters.

    :param parts: text and the insides of brackets by turns, text first and last.
    """
    pieces: list[str | Parameter] = []
    for number, part in enumerate(parts):
        if number % 2:
            pieces.append(_parse_parameter(part))
        elif part:
            pieces.append(literal(part))
        elif 0 < number < len(parts) - 1:
            first, second = _valid_name(parts[number - 1]), _valid_name(parts[number + 1])
            raise SegmentError(
                "There is no text between two parameters, so it is not clear where the first "
                "one ends.",
                f"Put text between them: [{first}]-[{second}].",
            )
    return Dynamic(folder, tuple(pieces))


def _parse_parameter(inner: str) -> Parameter:
    """Parse the text between two brackets."""
    name, equals, converter = inner.partition("=")
    if not equals:
        _check_name(name, "[", "]")
        return Parameter(name)
    if not _CONVERTER_NAME.fullmatch(converter):
        _check_name(name, "[", "]")
        raise SegmentError(
            f"{converter!r} is not a valid converter name.",
            f"Write [{name}=int], or use another converter of the app's URL map.",
        )
    _check_name(name, "[", f"={converter}]")
    return Parameter(name, converter)


def _check_name(name: str, before: str, after: str) -> None:
    """Refuse a parameter name that no handler could have as an argument.

    :param before: the text before the name in the hint.
    :param after: the text after it.
    """
    shown = f"{before}{_valid_name(name)}{after}"
    if not name:
        raise SegmentError(
            "The brackets are empty, so the parameter has no name.", f"Write {shown}."
        )
    if name.startswith(_ELLIPSIS):
        raise _ellipsis(f"[...{_valid_name(name)}]")
    flask_style = _FLASK_STYLE.fullmatch(name)
    if flask_style and (before, after) == ("[", "]"):
        raise SegmentError(
            "The converter goes after the name, separated by an equals sign.",
            f"Did you mean [{_valid_name(flask_style[2])}={flask_style[1]}]?",
        )
    if not name.isidentifier() or unicodedata.normalize("NFKC", name) != name:
        reason = f"{name!r} is not a Python identifier, so it cannot be an argument of a handler."
    elif keyword.iskeyword(name) or name == "__debug__":
        reason = f"{name!r} is a Python keyword, so it cannot be an argument of a handler."
    elif name in RESERVED_NAMES:
        reason = f"{name!r} is already the name of an argument of handlers and middleware."
    else:
        return
    raise SegmentError(reason, f"Did you mean {shown}?")


def _not_alone(shown: str) -> SegmentError:
    return SegmentError(
        "A catch-all matches whole segments, so it cannot be combined with text.",
        f"Name the folder {shown}.",
    )


def _ellipsis(shown: str) -> SegmentError:
    return SegmentError(
        "The name starts with an ellipsis character, not with three dots.",
        f"Did you mean {shown}?",
    )


def _valid_name(inner: str) -> str:
    """Return the closest valid parameter name to the text between brackets."""
    name = unicodedata.normalize("NFKC", inner.partition("=")[0].lstrip(_ELLIPSIS))
    name = "".join(c if f"a{c}".isidentifier() else " " for c in name)
    name = "_".join(name.split()).strip("_") or "name"
    if not name.isidentifier():
        name = f"n{name}"
    if keyword.iskeyword(name) or name in RESERVED_NAMES:
        return f"{name}_"
    return name


def _strip_parentheses(folder: str) -> str:
    """Return a folder name without parentheses and what they would mark, for hints."""
    return re.sub(r"[()]", "", folder).strip(" .") or "name"
