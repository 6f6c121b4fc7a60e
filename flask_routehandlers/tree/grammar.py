"""The grammar of folder names. A name is parsed once; everything else reads the result."""

from __future__ import annotations

import keyword
import re
import unicodedata
from urllib.parse import unquote

from ..errors import ProblemError
from .segments import CatchAll, Dynamic, Group, Parameter, Segment, Static

#: Arguments that a handler or a middleware gets beside the path parameters.
RESERVED_NAMES = frozenset({"request", "params", "call_next"})

_CONVERTER_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_FORBIDDEN = re.compile(r"[<>\\\ufffd\ud800-\udfff]|%(?!5F)")
_FOREIGN_PARAMETER = re.compile(r":(\w+)|\{(\w+)(?::(\w+))?\}|<(?:(\w+):)?(\w+)>")
_INTERCEPTION = re.compile(r"\((\.{1,3})\)")


class SegmentError(ProblemError):
    """A folder name that the grammar refuses."""


def parse_segment(folder: str) -> Segment:
    """Read one folder name.

    :param folder: the name of a folder for which :func:`is_walked` holds.
    :raises SegmentError: for a name that the grammar refuses.
    """
    _check_characters(folder)
    if "[" in folder or "]" in folder:
        return _parse_brackets(folder)
    if folder[0] == "@":
        text = _bare_text(folder[1:])
        raise SegmentError(
            "A parallel route slot belongs to pages; a route handler has none.",
            f"Rename the folder to {text!r}, or to a group, ({text}).",
        )
    if "(" in folder or ")" in folder:
        return _parse_group(folder)
    return Static(folder, literal(folder))


def _check_characters(folder: str) -> None:
    match = _FORBIDDEN.search(folder)
    found = match[0] if match else next((c for c in folder if unicodedata.category(c) == "Cc"), "")
    if not found:
        return
    if found == "%":
        decoded = unquote(re.sub("%5f", "%255F", folder, flags=re.IGNORECASE))
        legal = decoded.isprintable() and not _FORBIDDEN.search(decoded) and "/" not in decoded
        raise SegmentError(
            "A folder name is not percent-encoded: only %5F, for an underscore, is decoded.",
            f"Rename the folder to {decoded}." if legal else "Rename the folder without the %.",
        )
    meant = guess_parameter(folder)
    raise SegmentError(
        f"The character {found!a} cannot stand in a folder name.",
        f"Did you mean {meant}?" if meant else "Rename the folder without it.",
    )


def guess_parameter(folder: str) -> str | None:
    """How to write a parameter that is spelled as other frameworks do: ``[id]`` for ``:id``."""
    match = _FOREIGN_PARAMETER.fullmatch(folder)
    if not match:
        return None
    name, converter = _bare_name(match[1] or match[2] or match[5]), match[3] or match[4]
    if converter == "path":
        return f"[...{name}]"
    return f"[{name}={converter}]" if converter else f"[{name}]"


def literal(text: str) -> str:
    """The text of a URL that a folder name, or a piece of one, spells."""
    # One form on every machine: some file systems store a decomposed name for a composed one.
    return unicodedata.normalize("NFC", text.replace("%5F", "_"))


def _bare_text(folder: str) -> str:
    """A folder without parentheses, for hints."""
    return re.sub(r"[()]", "", folder).strip() or "name"


def _bare_name(inner: str) -> str:
    """The nearest name to what is in brackets that a parameter can have, for hints."""
    name = unicodedata.normalize("NFKC", inner.partition("=")[0].lstrip("\u2026"))
    name = "".join(c if f"a{c}".isidentifier() else " " for c in name)
    name = "_".join(name.split()).strip("_") or "name"
    if not name.isidentifier():
        name = f"n{name}"
    return f"{name}_" if keyword.iskeyword(name) or name in RESERVED_NAMES else name


def _parse_group(folder: str) -> Group:
    intercepted = _INTERCEPTION.match(folder)
    if intercepted:
        rest = re.sub(r"[()]", "", _INTERCEPTION.sub("", folder)).strip()
        raise SegmentError(
            "An intercepting route belongs to pages; a route handler has none.",
            f"Rename the folder to {rest or 'a name'!r}.",
        )
    inner = folder[1:-1]
    if folder[0] == "(" and folder[-1] == ")" and "(" not in inner and ")" not in inner:
        if not inner.strip():
            raise SegmentError("A group needs a name.", "Write (name).")
        return Group(folder)
    text = _bare_text(folder)
    raise SegmentError(
        "Parentheses mark a group, and a group has no text around it.",
        f"Write ({text}) for a group, or {text} for a segment of the URL.",
    )


def _parse_brackets(folder: str) -> Segment:
    pieces = _split_brackets(folder)
    if "(" in folder or ")" in folder:
        raise SegmentError(
            "A parameter and a group cannot share a folder; a converter takes no arguments here.",
            "Write (name)/[name], or register a converter of your own and write [name=converter].",
        )
    for piece in pieces:
        if isinstance(piece, tuple) and piece[0].startswith("..."):
            return _parse_catch_all(folder, piece, len(pieces))
    if folder.startswith("[["):
        inner = "".join(pieces[0])
        name = _bare_name(inner)
        if inner.startswith("\u2026"):
            raise _one_character_for_three(f"[[...{name}]]")
        raise SegmentError(
            "An optional segment is not supported; only a catch-all can be optional.",
            f"Write [[...{name}]], or [{name}] beside a route.py in the folder above.",
        )
    parsed: list[str | Parameter] = []
    for piece in pieces:
        if isinstance(piece, str):
            parsed.append(literal(piece))
            continue
        if parsed and isinstance(parsed[-1], Parameter):
            raise SegmentError(
                "Two parameters touch, so nothing tells where the first one ends.",
                f"Put text between them: [{parsed[-1].name}]-[{_bare_name(piece[0])}].",
            )
        parsed.append(_parse_parameter(piece[0]))
    return Dynamic(folder, tuple(parsed))


def _split_brackets(folder: str) -> list[str | tuple[str]]:
    """Split into literal text and the insides of brackets, these as 1-tuples."""
    around = re.search(r"\[\[\.\.\.([^\[\]]*)\]\]", folder)
    if around and around[0] != folder:
        raise SegmentError(
            "A catch-all takes whole segments, so no text can stand around it.",
            f"Write [[...{_bare_name(around[1])}]] alone.",
        )
    optional = folder.startswith("[[") and folder.endswith("]]")
    source = folder[1:-1] if optional else folder
    pieces: list[str | tuple[str]] = []
    for text in re.split(r"(\[[^\[\]]*\])", source):
        if text.startswith("[") and text.endswith("]"):
            pieces.append((text[1:-1],))
        elif "[" in text or "]" in text:
            raise SegmentError(
                "The brackets are unbalanced or nested.",
                "Write [name], [...name] or [[...name]].",
            )
        elif text:
            pieces.append(text)
    if optional and len(pieces) > 1:
        raise SegmentError(
            "The brackets are unbalanced or nested.", "Write [name], [...name] or [[...name]]."
        )
    return pieces


def _parse_catch_all(folder: str, piece: tuple[str], count: int) -> CatchAll:
    name = piece[0][3:]
    optional = folder.startswith("[[")
    if count > 1:
        raise SegmentError(
            "A catch-all takes whole segments, so no text can stand around it.",
            f"Write [...{_bare_name(name)}] alone.",
        )
    if "=" in name:
        raise SegmentError(
            "A catch-all has no converter; its handler gets a list of str.",
            f"Write {folder.replace(name, _bare_name(name))}.",
        )
    _check_name(name, *(("[[...", "]]") if optional else ("[...", "]")))
    return CatchAll(folder, name, optional)


def _parse_parameter(inner: str) -> Parameter:
    name, equals, converter = inner.partition("=")
    is_name = _CONVERTER_NAME.fullmatch(converter)
    _check_name(name, "[", f"={converter}]" if is_name else "]")
    if not equals:
        return Parameter(name)
    if not is_name:
        raise SegmentError(
            f"{converter!r} is not the name of a converter.",
            f"Write [{name}=int], or another converter of the app's URL map.",
        )
    return Parameter(name, converter)


def _one_character_for_three(shown: str) -> SegmentError:
    return SegmentError(
        "The name begins with one three-dot character.",
        f"Did you mean {shown}, with three dots?",
    )


def _check_name(name: str, before: str, behind: str) -> None:
    """``before`` and ``behind`` are what stands around the name in a hint."""
    shown = f"{before}{_bare_name(name)}{behind}"
    if not name:
        raise SegmentError("The brackets are empty: the parameter has no name.", f"Write {shown}.")
    if name.startswith("\u2026"):
        raise _one_character_for_three(f"[...{_bare_name(name)}]")
    flask_style = re.fullmatch(r"([A-Za-z_][A-Za-z0-9_]*):(\w+)", name)
    if flask_style and (before, behind) == ("[", "]"):
        raise SegmentError(
            "A converter stands behind the name here, after an equals sign.",
            f"Did you mean [{_bare_name(flask_style[2])}={flask_style[1]}]?",
        )
    if not name.isidentifier() or unicodedata.normalize("NFKC", name) != name:
        reason = f"{name!r} is not a Python identifier, so no handler can name it as an argument."
    elif keyword.iskeyword(name) or name == "__debug__":
        reason = f"{name!r} is a Python keyword, so no handler can name it as an argument."
    elif name in RESERVED_NAMES:
        reason = f"{name!r} already names an argument that handlers and middleware get."
    else:
        return
    raise SegmentError(reason, f"Did you mean {shown}?")
