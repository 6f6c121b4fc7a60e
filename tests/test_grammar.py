"""Folder names in, segments or refusals out."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from flask_routehandlers.tree.grammar import SegmentError, parse_segment
from flask_routehandlers.tree.segments import (
    CatchAll,
    Dynamic,
    Group,
    Parameter,
    Static,
    is_walked,
)
from flask_routehandlers.tree.spelling import escape
from tests.support import SEEDED

A, B = Parameter("a"), Parameter("b")


@pytest.mark.parametrize(
    ("folder", "segment"),
    [
        ("users", Static("users", "users")),
        ("sitemap.xml", Static("sitemap.xml", "sitemap.xml")),
        (".well-known", Static(".well-known", ".well-known")),
        ("route.py", Static("route.py", "route.py")),
        ("a@b", Static("a@b", "a@b")),
        ("what? a #1 & 50€", Static("what? a #1 & 50€", "what? a #1 & 50€")),
        ("{a}*|$", Static("{a}*|$", "{a}*|$")),
        ("日本", Static("日本", "日本")),
        ("e\u0301", Static("e\u0301", "é")),
        ("%5Fname", Static("%5Fname", "_name")),
        ("%40me", Static("%40me", "@me")),
        ("%2Egit", Static("%2Egit", ".git")),
        ("%2E..", Static("%2E..", "...")),
        ("%28x%29", Static("%28x%29", "(x)")),
        ("a%28%2E%29%40%5F", Static("a%28%2E%29%40%5F", "a(.)@_")),
        ("%40[a]%2Ejson", Dynamic("%40[a]%2Ejson", ("@", A, ".json"))),
        ("a%5Fb%5F", Static("a%5Fb%5F", "a_b_")),
        ("[a]", Dynamic("[a]", (A,))),
        ("[_]", Dynamic("[_]", (Parameter("_"),))),
        ("[größe]", Dynamic("[größe]", (Parameter("größe"),))),
        ("[match]", Dynamic("[match]", (Parameter("match"),))),
        ("[requests]", Dynamic("[requests]", (Parameter("requests"),))),
        ("[a=int]", Dynamic("[a=int]", (Parameter("a", "int"),))),
        ("[a=_Hex16]", Dynamic("[a=_Hex16]", (Parameter("a", "_Hex16"),))),
        ("[a].json", Dynamic("[a].json", (A, ".json"))),
        ("@[a]", Dynamic("@[a]", ("@", A))),
        ("%5F[a]%5F", Dynamic("%5F[a]%5F", ("_", A, "_"))),
        ("e\u0301[a]", Dynamic("e\u0301[a]", ("é", A))),
        ("r-[a=int].csv", Dynamic("r-[a=int].csv", ("r-", Parameter("a", "int"), ".csv"))),
        ("[a]-[b]", Dynamic("[a]-[b]", (A, "-", B))),
        ("[a]...[b]", Dynamic("[a]...[b]", (A, "...", B))),
        ("[...a]", CatchAll("[...a]", "a", optional=False)),
        ("[[...a]]", CatchAll("[[...a]]", "a", optional=True)),
        ("(a)", Group("(a)")),
        ("(a b-c.d)", Group("(a b-c.d)")),
    ],
)
def test_folder_names_are_parsed(folder, segment):
    assert parse_segment(folder) == segment


@pytest.mark.parametrize(
    ("folder", "parameters"),
    [
        ("users", ()),
        ("(a)", ()),
        ("r-[a=int].[b]", (Parameter("a", "int"), B)),
        ("[...a]", (A,)),
        ("[[...a]]", (A,)),
    ],
)
def test_a_segment_has_its_parameters_in_order(folder, parameters):
    assert parse_segment(folder).parameters == parameters


@pytest.mark.parametrize(
    ("folder", "walked"),
    [
        ("users", True),
        ("[id]", True),
        ("(admin)", True),
        ("%5Fname", True),
        (".well-known", True),
        (".well-known2", False),
        (".git", False),
        ("..data", False),
        ("_lib", False),
        ("__pycache__", False),
    ],
)
def test_private_and_hidden_folders_are_not_walked(folder, walked):
    assert is_walked(folder) is walked


EMPTY = "The brackets are empty, so the parameter has no name."
UNBALANCED = "The brackets are unbalanced or nested."
TOUCH = "There is no text between two parameters, so it is not clear where the first one ends."
AROUND = "A catch-all matches whole segments, so it cannot be combined with text."
CONVERTED = "A catch-all cannot have a converter: its handler receives a list of str."
OPTIONAL = "An optional segment is not supported; only a catch-all can be optional."
DOTS = "The name starts with an ellipsis character, not with three dots."
FLASK_STYLE = "The converter goes after the name, separated by an equals sign."
SLOT = "Parallel route slots (@name) are for pages; route handlers do not have them."
INTERCEPTED = (
    "Intercepting routes, such as (.)photo, are for pages; route handlers do not have them."
)
PARENTHESES = "Parentheses mark a group, and a group cannot be combined with text."
MIXED = "A folder cannot combine a group with a parameter, and a converter takes no arguments."
ENCODED = "In a folder name only @, (, ), . and _ can be percent-encoded, in upper case."
CHARACTER = "A folder name cannot contain the character {}."
NO_IDENTIFIER = "{!r} is not a Python identifier, so it cannot be an argument of a handler."
DOT = "A request with the segment {} is always a 404."
KEYWORD = "{!r} is a Python keyword, so it cannot be an argument of a handler."
RESERVED = "{!r} is already the name of an argument of handlers and middleware."
NO_CONVERTER = "{!r} is not a valid converter name."

FOR_WITHOUT = "and add a route.py to the folder above for the URL without it."
WRITE_ONE = "Write [name], [...name] or [[...name]]."
GROUP_OR = "Write (ab) for a group, ab for a segment of the URL, or {} for literal parentheses."
WRITE_BOTH = "Write (name)/[name], or register your own converter and write [name=converter]."
WRITE_INT = "Write [a=int], or use another converter of the app's URL map."
REMOVE = "Rename the folder to a name without it."
NO_PERCENT = "Rename the folder to a name without a percent sign."
SLOT_NAMES = "Rename the folder to slot, to a group, (slot), or to %40slot for a literal @."


@pytest.mark.parametrize(
    ("folder", "reason", "hint"),
    [
        ("[]", EMPTY, "Write [name]."),
        ("[=int]", EMPTY, "Write [name=int]."),
        ("v[]", EMPTY, "Write [name]."),
        ("[...]", EMPTY, "Write [...name]."),
        ("[[...]]", EMPTY, "Write [[...name]]."),
        ("[a", UNBALANCED, WRITE_ONE),
        ("a]", UNBALANCED, WRITE_ONE),
        ("]a[", UNBALANCED, WRITE_ONE),
        ("[[a]", UNBALANCED, WRITE_ONE),
        ("[a]]", UNBALANCED, WRITE_ONE),
        ("[a[b]]", UNBALANCED, WRITE_ONE),
        ("[[a]b]", UNBALANCED, WRITE_ONE),
        ("[[a]-[b]]", UNBALANCED, WRITE_ONE),
        ("[[...a]", UNBALANCED, WRITE_ONE),
        ("[...a]]", UNBALANCED, WRITE_ONE),
        ("[[[a]]]", UNBALANCED, WRITE_ONE),
        ("[a][b]", TOUCH, "Put text between them: [a]-[b]."),
        ("[a]-[b=int][c]", TOUCH, "Put text between them: [b]-[c]."),
        ("x[...a]", AROUND, "Name the folder [...a]."),
        ("[...a].json", AROUND, "Name the folder [...a]."),
        ("[a][...b]", AROUND, "Name the folder [...b]."),
        ("x[[...a]]", AROUND, "Name the folder [[...a]]."),
        ("[[...a]].json", AROUND, "Name the folder [[...a]]."),
        ("[...a=int]", CONVERTED, "Write [...a]."),
        ("[[...a=int]]", CONVERTED, "Write [[...a]]."),
        ("[[a]]", OPTIONAL, f"Write [a], {FOR_WITHOUT}"),
        ("[[]]", OPTIONAL, f"Write [name], {FOR_WITHOUT}"),
        ("[…a]", DOTS, "Did you mean [...a]?"),
        ("[[…a]]", DOTS, "Did you mean [[...a]]?"),
        ("[int:a]", FLASK_STYLE, "Did you mean [a=int]?"),
        ("[a:int]", FLASK_STYLE, "Did you mean [a=int]?"),
        ("[hex:a]", FLASK_STYLE, "Did you mean [a=hex]?"),
        ("[path:a]", FLASK_STYLE, "Did you mean [...a]?"),
        ("[a:path]", FLASK_STYLE, "Did you mean [...a]?"),
        ("v[path:a]", FLASK_STYLE, "Did you mean [a]?"),
        ("[string:a]", FLASK_STYLE, "Did you mean [a]?"),
        ("[any:class]", FLASK_STYLE, "Did you mean [class_]?"),
        ("v[int:a].json", FLASK_STYLE, "Did you mean [a=int]?"),
        ("[post-id]", NO_IDENTIFIER.format("post-id"), "Did you mean [post_id]?"),
        ("[post-id=int]", NO_IDENTIFIER.format("post-id"), "Did you mean [post_id=int]?"),
        ("[post-id={}]", NO_IDENTIFIER.format("post-id"), "Did you mean [post_id]?"),
        ("[...post-id]", NO_IDENTIFIER.format("post-id"), "Did you mean [...post_id]?"),
        ("[[...post-id]]", NO_IDENTIFIER.format("post-id"), "Did you mean [[...post_id]]?"),
        ("[1a]", NO_IDENTIFIER.format("1a"), "Did you mean [n1a]?"),
        ("[-]", NO_IDENTIFIER.format("-"), "Did you mean [name]?"),
        ("[@a]", NO_IDENTIFIER.format("@a"), "Did you mean [a]?"),
        ("[{a}]", NO_IDENTIFIER.format("{a}"), "Did you mean [a]?"),
        ("[ a ]", NO_IDENTIFIER.format(" a "), "Did you mean [a]?"),
        ("[..a]", NO_IDENTIFIER.format("..a"), "Did you mean [a]?"),
        ("[....a]", NO_IDENTIFIER.format(".a"), "Did you mean [...a]?"),
        ("[\ufb01]", NO_IDENTIFIER.format("\ufb01"), "Did you mean [fi]?"),
        ("[class]", KEYWORD.format("class"), "Did you mean [class_]?"),
        ("[None=int]", KEYWORD.format("None"), "Did you mean [None_=int]?"),
        ("[...async]", KEYWORD.format("async"), "Did you mean [...async_]?"),
        ("[request]", RESERVED.format("request"), "Did you mean [request_]?"),
        ("[params=int]", RESERVED.format("params"), "Did you mean [params_=int]?"),
        ("[[...call_next]]", RESERVED.format("call_next"), "Did you mean [[...call_next_]]?"),
        ("[a=]", NO_CONVERTER.format(""), WRITE_INT),
        ("[a=my-int]", NO_CONVERTER.format("my-int"), WRITE_INT),
        ("[a=int=str]", NO_CONVERTER.format("int=str"), WRITE_INT),
        ("@slot", SLOT, SLOT_NAMES),
        ("(.)ab", INTERCEPTED, "Rename the folder to ab."),
        ("(..)(..)ab", INTERCEPTED, "Rename the folder to ab."),
        ("(...)", INTERCEPTED, "Rename the folder to name."),
        ("%2E", DOT.format("."), "Rename the folder."),
        ("%2E%2E", DOT.format(".."), "Rename the folder."),
        ("()", "A group needs a name.", "Write (name)."),
        ("( )", "A group needs a name.", "Write (name)."),
        ("(a)b", PARENTHESES, GROUP_OR.format("%28a%29b")),
        ("a(b)", PARENTHESES, GROUP_OR.format("a%28b%29")),
        ("(a)(b)", PARENTHESES, GROUP_OR.format("%28a%29%28b%29")),
        ("((ab))", PARENTHESES, GROUP_OR.format("%28%28ab%29%29")),
        ("(ab", PARENTHESES, GROUP_OR.format("%28ab")),
        ("ab)", PARENTHESES, GROUP_OR.format("ab%29")),
        (")", PARENTHESES, GROUP_OR.replace("ab", "name").format("%29")),
        ("(a)[b]", MIXED, WRITE_BOTH),
        ("[b](a)", MIXED, WRITE_BOTH),
        ("[a=int(min=1)]", MIXED, WRITE_BOTH),
        ("a%2Cb", ENCODED, "Rename the folder to a,b."),
        ("%2e", ENCODED, NO_PERCENT),
        ("%2egit", ENCODED, "Rename the folder to %2Egit."),
        ("%40a%2Cb", ENCODED, "Rename the folder to %40a,b."),
        ("%5Ba%5D", ENCODED, NO_PERCENT),
        ("[a]%2C[b]", ENCODED, "Rename the folder to [a],[b]."),
        ("@a%2Cb", ENCODED, NO_PERCENT),
        ("(a)%2Cb", ENCODED, NO_PERCENT),
        ("%5fname", ENCODED, "Rename the folder to %5Fname."),
        ("caf%C3%A9", ENCODED, "Rename the folder to café."),
        ("a%20b%2C", ENCODED, "Rename the folder to a b,."),
        ("%5Fa%2Cb", ENCODED, "Rename the folder to %5Fa,b."),
        ("a%2Fb", ENCODED, NO_PERCENT),
        ("a%3Cb", ENCODED, NO_PERCENT),
        ("a%00b", ENCODED, NO_PERCENT),
        ("%FF", ENCODED, NO_PERCENT),
        ("100%", ENCODED, NO_PERCENT),
        ("<a", CHARACTER.format(r"'<'"), REMOVE),
        ("<a>.json", CHARACTER.format(r"'<'"), REMOVE),
        ("<a>", CHARACTER.format(r"'<'"), "Did you mean [a]?"),
        ("<int:post_id>", CHARACTER.format(r"'<'"), "Did you mean [post_id=int]?"),
        ("<path:rest>", CHARACTER.format(r"'<'"), "Did you mean [...rest]?"),
        ("<class>", CHARACTER.format(r"'<'"), "Did you mean [class_]?"),
        ("a>", CHARACTER.format(r"'>'"), REMOVE),
        ("a\\b", CHARACTER.format(r"'\\'"), REMOVE),
        ("a\tb", CHARACTER.format(r"'\t'"), REMOVE),
        ("a\x7f", CHARACTER.format(r"'\x7f'"), REMOVE),
        ("a\x85[b]", CHARACTER.format(r"'\x85'"), REMOVE),
        ("a\ufffd", CHARACTER.format(r"'\ufffd'"), REMOVE),
        ("caf\udce9", CHARACTER.format(r"'\udce9'"), REMOVE),
    ],
)  # fmt: skip
def test_a_refused_name_has_a_reason_and_a_hint(folder, reason, hint):
    with pytest.raises(SegmentError) as caught:
        parse_segment(folder)
    assert (caught.value.problem.reason, caught.value.problem.hint) == (reason, hint)
    assert str(caught.value) == f"{reason} {hint}"


ESCAPES = {"%28": "(", "%29": ")", "%2E": ".", "%40": "@", "%5F": "_"}

#: What folder names are made of, and what they are easily mistaken for.
PIECES = ("[", "]", "[[", "]]", "(", ")", "...", "…", "=", ":", *ESCAPES, "%", "%2e", "@",
          "_", ".", "-", "{", "}", "<", "\\", " ", "|", "a", "id", "post-id", "int", "class",
          "request", "1", "é", "e\u0301", "\ufb01", "\u0bf0", "\udce9", "\x01", "(.)",
          "[a]")  # fmt: skip

folder_names = (
    st.text(st.characters(exclude_characters="/\0"), min_size=1)
    | st.lists(st.sampled_from(PIECES), min_size=1, max_size=8).map("".join)
).filter(lambda name: name not in (".", ".."))


def search(test: Callable[[str], None]) -> Callable[[int], None]:
    """Run a test with random folder names."""

    @pytest.mark.parametrize("examples", [100, pytest.param(3000, marks=pytest.mark.ci)])
    def run(examples: int) -> None:
        settings(SEEDED, max_examples=examples)(given(folder_names)(test))()

    return run


def refused(folder: str) -> SegmentError | None:
    try:
        parse_segment(folder)
    except SegmentError as error:
        return error
    return None


@search
@example("[post-id={}]")
def test_any_name_is_parsed_or_refused(folder):
    error = refused(folder)
    if error:
        assert error.problem.reason.endswith(".")
        assert error.problem.hint.endswith((".", "?"))
    else:
        segment = parse_segment(folder)
        assert segment.folder == folder
        assert parse_segment(segment.folder) == segment


@search
@example("[…]")
@example("@")
@example("[[post-id]]")
@example("[[a=int]]")
@example("[...=int]")
@example("[int:class]")
@example("[class-]")
@example("x[[...post-id]]")
@example("[a][post-id]")
@example("[\u0bf0]")
def test_folders_shown_in_hints_are_legal(folder):
    error = refused(folder)
    if error:
        shown = re.findall(r"\[\[.*?\]\]|\[.*?\]|\(.*?\)", error.problem.hint)
        renamed = re.fullmatch(
            r"Rename the folder to (.*)\.|Did you mean (.*)\?", error.problem.hint
        )
        if renamed and "," not in error.problem.hint and " name without " not in renamed[0]:
            shown.append(renamed[1] or renamed[2])
        assert [name for name in shown if refused(name)] == []


@search
@example("_.@()")
@example("..")
def test_any_text_can_be_spelled_literally(text):
    if "[" in text or "]" in text or "%" in text or refused(escape(text)):
        return
    segment = parse_segment(escape(text))
    assert segment.text == unicodedata.normalize("NFC", text)
    assert is_walked(segment.folder) or segment.folder == ".well-known"


@search
def test_the_pieces_of_a_segment_spell_its_folder(folder):
    if refused(folder):
        return
    segment = parse_segment(folder)
    if not isinstance(segment, Dynamic):
        return
    spelled = "".join(
        piece
        if isinstance(piece, str)
        else f"[{piece.name}={piece.converter}]"
        if piece.converter
        else f"[{piece.name}]"
        for piece in segment.pieces
    )
    for code, character in ESCAPES.items():
        folder = folder.replace(code, character)
    assert spelled == unicodedata.normalize("NFC", folder)


@search
@example("[__debug__]")
def test_any_parameter_can_be_an_argument(folder):
    if not refused(folder):
        for parameter in parse_segment(folder).parameters:
            compile(f"def GET({parameter.name}): ...", "route.py", "exec")
