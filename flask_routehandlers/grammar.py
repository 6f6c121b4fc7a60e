"""The grammar of folder names. A name is parsed once; everything else reads the result."""

from __future__ import annotations

import keyword
import re
import unicodedata
from urllib.parse import unquote

from .segments import CatchAll, Dynamic, Group, Parameter, Segment, Static

#: Arguments that a handler or a middleware gets beside the path parameters.
RESERVED_NAMES = frozenset({"request", "params", "call_next"})

_CONVERTER_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_FORBIDDEN = re.compile(r"[<>\\\ufffd\ud800-\udfff]|%(?!5F)")
_INTERCEPTION = re.compile(r"\((\.{1,3})\)")


class SegmentError(ValueError):
    """A folder name that the grammar refuses.

    :param reason: what is wrong.
    :param cure: what to do.
    """

    def __init__(self, reason: str, cure: str) -> None:
        self.reason = reason
        self.cure = cure
        super().__init__(f"{reason} {cure}")


def parse_segment(folder: str) -> Segment:
    """Read one folder name.

    :param folder: the name of a folder for which :func:`is_walked` holds.
    :raises SegmentError: for a name that the grammar refuses.
    """
    _check_characters(folder)
    if "[" in folder or "]" in folder:
        return _parse_brackets(folder)
    if folder[0] == "@":
        raise SegmentError(
            "A parallel route slot belongs to pages; a route handler has none.",
            f"Rename the folder to {folder[1:] or 'name'!r}, or to a group, "
            f"({folder[1:] or 'name'}).",
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
    raise SegmentError(
        f"The character {found!a} cannot stand in a folder name.",
        "Rename the folder without it.",
    )


def literal(text: str) -> str:
    """The text of a URL that a folder name, or a piece of one, spells."""
    # One form on every machine: some file systems store a decomposed name for a composed one.
    return unicodedata.normalize("NFC", text.replace("%5F", "_"))


def _parse_group(folder: str) -> Group:
    intercepted = _INTERCEPTION.match(folder)
    if intercepted:
        rest = _INTERCEPTION.sub("", folder)
        raise SegmentError(
            "An intercepting route belongs to pages; a route handler has none.",
            f"Rename the folder to {rest or 'a name'!r}.",
        )
    inner = folder[1:-1]
    if folder[0] == "(" and folder[-1] == ")" and "(" not in inner and ")" not in inner:
        if not inner.strip():
            raise SegmentError("A group needs a name.", "Write (name).")
        return Group(folder)
    text = re.sub(r"[()]", "", folder) or "name"
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
        name = folder.strip("[]") or "name"
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
                f"Put text between them: [{parsed[-1].name}]-[{piece[0]}].",
            )
        parsed.append(_parse_parameter(piece[0]))
    return Dynamic(folder, tuple(parsed))


def _split_brackets(folder: str) -> list[str | tuple[str]]:
    """Split into literal text and the insides of brackets, these as 1-tuples."""
    around = re.search(r"\[\[\.\.\.([^\[\]]*)\]\]", folder)
    if around and around[0] != folder:
        raise SegmentError(
            "A catch-all takes whole segments, so no text can stand around it.",
            f"Write {around[0]} alone.",
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
            f"Write [...{name}] alone.",
        )
    if "=" in name:
        bare = name.partition("=")[0]
        raise SegmentError(
            "A catch-all has no converter; its handler gets a list of str.",
            f"Write {folder.replace(name, bare)}.",
        )
    _check_name(name, "[[...{}]]" if optional else "[...{}]")
    return CatchAll(folder, name, optional)


def _parse_parameter(inner: str) -> Parameter:
    name, equals, converter = inner.partition("=")
    _check_name(name, "[{}" + equals + converter + "]")
    if not equals:
        return Parameter(name)
    if not _CONVERTER_NAME.fullmatch(converter):
        raise SegmentError(
            f"{converter!r} is not the name of a converter.",
            f"Write [{name}=int], or another converter of the app's URL map.",
        )
    return Parameter(name, converter)


def _check_name(name: str, form: str) -> None:
    """``form`` shows the folder with ``{}`` for the name, for the cure."""
    if not name:
        raise SegmentError(
            "The brackets are empty: the parameter has no name.", f"Write {form.format('name')}."
        )
    if name.startswith("\u2026"):
        raise SegmentError(
            "The name begins with one three-dot character.",
            f"Did you mean {form.format('...' + name[1:])}, with three dots?",
        )
    flask_style = re.fullmatch(r"(\w+):(\w+)", name)
    if flask_style and form == "[{}]":
        raise SegmentError(
            "A converter stands behind the name here, after an equals sign.",
            f"Did you mean [{flask_style[2]}={flask_style[1]}]?",
        )
    if not name.isidentifier() or unicodedata.normalize("NFKC", name) != name:
        guess = re.sub(r"\W+", "_", unicodedata.normalize("NFKC", name)).strip("_")
        if guess and not guess.isidentifier():
            guess = f"n{guess}"
        raise SegmentError(
            f"{name!r} is not a Python identifier, so no handler can name it as an argument.",
            f"Did you mean {form.format(guess or 'name')}?",
        )
    if keyword.iskeyword(name):
        raise SegmentError(
            f"{name!r} is a Python keyword, so no handler can name it as an argument.",
            f"Did you mean {form.format(name + '_')}?",
        )
    if name in RESERVED_NAMES:
        raise SegmentError(
            f"{name!r} already names an argument that handlers and middleware get.",
            f"Did you mean {form.format(name + '_')}?",
        )
