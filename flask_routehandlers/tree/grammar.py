"""The grammar of folder names. A name is parsed once; everything else reads the result.

    segment   = static | dynamic | catch-all | group
    static    = text
    dynamic   = [text] parameter {text parameter} [text]
    parameter = "[" name ["=" converter] "]"
    catch-all = "[..." name "]" | "[[..." name "]]"
    group     = "(" text ")"

Everything else is refused, with a hint for the name that was probably meant. A character that
means something in a folder name can be part of the text if it is percent-encoded: ``%40me`` is
the text ``@me``.
"""

from __future__ import annotations

import keyword
import re
import sys
import unicodedata
from urllib.parse import quote, unquote

from ..errors import ProblemError
from .segments import CatchAll, Dynamic, Group, Parameter, Segment, Static
from .spelling import (
    ELLIPSIS,
    ESCAPED,
    RESERVED_NAMES,
    escape,
    guess_parameter,
    literal,
    spell_parameter,
    valid_name,
)

#: The names of Werkzeug's converters.
_CONVERTERS = frozenset({"any", "default", "float", "int", "path", "string", "uuid"})

_CONVERTER_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_FLASK_STYLE = re.compile(r"([A-Za-z_][A-Za-z0-9_]*):(\w+)")
_FORBIDDEN = re.compile(rf"[<>\\\ufffd\ud800-\udfff]|%(?!{ESCAPED.pattern[1:]})")
_INTERCEPTION = re.compile(r"\((\.{1,3})\)")
_BRACKETS = re.compile(r"\[([^\[\]]*)\]")
_DOUBLE_BRACKETS = re.compile(r"\[\[([^\[\]]*)\]\]")


class SegmentError(ProblemError):
    """A folder name that the grammar refuses."""


def parse_segment(folder: str) -> Segment:
    """Parse one folder name.

    :param folder: the name of a folder that :func:`~.segments.is_walked` accepts.
    :raises SegmentError: if the grammar refuses the name.
    """
    _check_locale(folder)
    _check_characters(folder)
    if "[" in folder or "]" in folder:
        return _parse_brackets(folder)
    if folder[0] == "@":
        name = _plain_name(folder[1:])
        raise SegmentError(
            "Parallel route slots (@name) are for pages; route handlers do not have them.",
            f"Rename the folder to {name}, to a group, ({name}), or to {escape(folder)} for a "
            "literal @.",
        )
    if "(" in folder or ")" in folder:
        return _parse_group(folder)
    text = literal(folder)
    if text in (".", ".."):
        raise SegmentError(
            f"A request with the segment {text} is always a 404.", "Rename the folder."
        )
    return Static(folder, text)


def _check_locale(folder: str) -> None:
    """Refuse a name that Python has not read as UTF-8: it would be another one elsewhere."""
    encoding = sys.getfilesystemencoding()
    if encoding != "utf-8" and not folder.isascii():
        raise SegmentError(
            f"The locale makes Python read file names as {encoding}, not as UTF-8, so this one "
            "cannot be read.",
            "Start Python with the environment variable PYTHONUTF8=1, or set LC_ALL=C.UTF-8.",
        )


def _check_characters(folder: str) -> None:
    """Refuse a name with a character that Flask or a proxy would give another meaning."""
    match = _FORBIDDEN.search(folder)
    if match is not None:
        character = match[0]
    else:
        character = next((c for c in folder if unicodedata.category(c) == "Cc"), "")
    if character == "%":
        raise SegmentError(
            "In a folder name only @, (, ), . and _ can be percent-encoded, in upper case.",
            _suggest_decoded(folder),
        )
    if character:
        meant = guess_parameter(folder)
        hint = "Rename the folder to a name without it."
        if meant:
            hint = f"Did you mean {meant}?"
        raise SegmentError(f"A folder name cannot contain the character {character!a}.", hint)


def _suggest_decoded(folder: str) -> str:
    """Return the hint for a folder name with other percent-encoding."""
    escaped = re.compile(ESCAPED.pattern, re.IGNORECASE)
    decoded = unquote(escaped.sub(lambda match: quote(match[0].upper()), folder))
    is_text = decoded.isprintable() and "/" not in decoded and not _FORBIDDEN.search(decoded)
    if is_text and decoded.count("[") == folder.count("[") and _is_legal(decoded):
        return f"Rename the folder to {decoded}."
    return "Rename the folder to a name without a percent sign."


def _is_legal(folder: str) -> bool:
    """Return whether the grammar accepts a folder name."""
    try:
        parse_segment(folder)
    except SegmentError:
        return False
    return True


def _parse_group(folder: str) -> Group:
    """Parse a folder name with parentheses and no brackets."""
    if _INTERCEPTION.match(folder):
        name = _plain_name(_INTERCEPTION.sub("", folder))
        raise SegmentError(
            "Intercepting routes, such as (.)photo, are for pages; route handlers do not have "
            "them.",
            f"Rename the folder to {name}.",
        )
    inner = folder[1:-1]
    if folder[0] != "(" or folder[-1] != ")" or "(" in inner or ")" in inner:
        name = _plain_name(folder)
        raise SegmentError(
            "Parentheses mark a group, and a group cannot be combined with text.",
            f"Write ({name}) for a group, {name} for a segment of the URL, or {escape(folder)} "
            "for literal parentheses.",
        )
    if not inner.strip():
        raise SegmentError("A group needs a name.", "Write (name).")
    return Group(folder)


def _parse_brackets(folder: str) -> Segment:
    """Parse a folder name with square brackets: parameters or a catch-all.

    Double brackets are an optional catch-all as a whole, and unbalanced elsewhere.
    """
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
            raise _not_alone(f"[[...{valid_name(inner[3:])}]]")
    # Text and the insides of brackets by turns, text first and last.
    parts = _BRACKETS.split(folder)
    if any("[" in text or "]" in text for text in parts[::2]):
        raise SegmentError(
            "The brackets are unbalanced or nested.", "Write [name], [...name] or [[...name]]."
        )
    for inner in parts[1::2]:
        if inner.startswith("..."):
            if len(parts) > 3 or parts[0] or parts[2]:
                raise _not_alone(f"[...{valid_name(inner[3:])}]")
            return _parse_catch_all(folder, inner[3:], optional=False)
    return _parse_dynamic(folder, parts)


def _parse_optional(folder: str, inner: str) -> CatchAll:
    """Parse a folder name in double brackets.

    :param inner: the text between the brackets.
    """
    if inner.startswith("..."):
        return _parse_catch_all(folder, inner[3:], optional=True)
    name = valid_name(inner)
    if inner.startswith(ELLIPSIS):
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
            f"Write {before}{valid_name(name)}{after}.",
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
            pieces.append(_parse_parameter(part, is_alone=parts[::2] == ["", ""]))
        elif part:
            pieces.append(literal(part))
        elif 0 < number < len(parts) - 1:
            first, second = valid_name(parts[number - 1]), valid_name(parts[number + 1])
            raise SegmentError(
                "There is no text between two parameters, so it is not clear where the first "
                "one ends.",
                f"Put text between them: [{first}]-[{second}].",
            )
    return Dynamic(folder, tuple(pieces))


def _parse_parameter(inner: str, *, is_alone: bool) -> Parameter:
    """Parse the text between two brackets.

    :param is_alone: whether the folder has nothing else.
    """
    name, equals, converter = inner.partition("=")
    flask_style = _FLASK_STYLE.fullmatch(inner)
    if flask_style:
        raise _misplaced_converter(flask_style[1], flask_style[2], is_alone=is_alone)
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
    shown = f"{before}{valid_name(name)}{after}"
    if not name:
        raise SegmentError(
            "The brackets are empty, so the parameter has no name.", f"Write {shown}."
        )
    if name.startswith(ELLIPSIS):
        raise _ellipsis(f"[...{valid_name(name)}]")
    if not name.isidentifier() or unicodedata.normalize("NFKC", name) != name:
        reason = f"{name!r} is not a Python identifier, so it cannot be an argument of a handler."
    elif keyword.iskeyword(name) or name == "__debug__":
        reason = f"{name!r} is a Python keyword, so it cannot be an argument of a handler."
    elif name in RESERVED_NAMES:
        reason = f"{name!r} is already the name of an argument of handlers and middleware."
    else:
        return
    raise SegmentError(reason, f"Did you mean {shown}?")


def _misplaced_converter(first: str, second: str, *, is_alone: bool) -> SegmentError:
    """Return the error for ``[int:id]``, Flask's order, or ``[id:int]``, that of others."""
    converter, name = first, second
    if second in _CONVERTERS and first not in _CONVERTERS:
        converter, name = second, first
    shown = spell_parameter(name, converter)
    if shown.startswith("[...") and not is_alone:
        shown = f"[{valid_name(name)}]"
    return SegmentError(
        "The converter goes after the name, separated by an equals sign.",
        f"Did you mean {shown}?",
    )


def _not_alone(shown: str) -> SegmentError:
    """Return the error for a catch-all with text around it."""
    return SegmentError(
        "A catch-all matches whole segments, so it cannot be combined with text.",
        f"Name the folder {shown}.",
    )


def _ellipsis(shown: str) -> SegmentError:
    """Return the error for a character that some keyboards put in the place of three dots."""
    return SegmentError(
        "The name starts with an ellipsis character, not with three dots.",
        f"Did you mean {shown}?",
    )


def _plain_name(folder: str) -> str:
    """Return a folder name without the characters that mean something, for hints."""
    return re.sub(r"[()]", "", folder).lstrip(" ._@").rstrip() or "name"
