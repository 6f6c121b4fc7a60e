"""Folder names in, segments or refusals out."""

from __future__ import annotations

import re
import unicodedata

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
def test_a_folder_name_is_read_as_a_segment(folder, segment):
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
def test_a_segment_tells_its_parameters_in_order(folder, parameters):
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


EMPTY = "The brackets are empty: the parameter has no name."
UNBALANCED = "The brackets are unbalanced or nested."
TOUCH = "Two parameters touch, so nothing tells where the first one ends."
AROUND = "A catch-all takes whole segments, so no text can stand around it."
CONVERTED = "A catch-all has no converter; its handler gets a list of str."
OPTIONAL = "An optional segment is not supported; only a catch-all can be optional."
DOTS = "The name begins with one three-dot character."
FLASK_STYLE = "A converter stands behind the name here, after an equals sign."
SLOT = "A parallel route slot belongs to pages; a route handler has none."
INTERCEPTED = "An intercepting route belongs to pages; a route handler has none."
PARENTHESES = "Parentheses mark a group, and a group has no text around it."
MIXED = "A parameter and a group cannot share a folder; a converter takes no arguments here."
ENCODED = "A folder name is not percent-encoded: only %5F, for an underscore, is decoded."
CHARACTER = "The character {} cannot stand in a folder name."
NO_IDENTIFIER = "{!r} is not a Python identifier, so no handler can name it as an argument."
KEYWORD = "{!r} is a Python keyword, so no handler can name it as an argument."
RESERVED = "{!r} already names an argument that handlers and middleware get."
NO_CONVERTER = "{!r} is not the name of a converter."

WRITE_ONE = "Write [name], [...name] or [[...name]]."
WRITE_GROUP = "Write (ab) for a group, or ab for a segment of the URL."
WRITE_BOTH = "Write (name)/[name], or register a converter of your own and write [name=converter]."
WRITE_INT = "Write [a=int], or another converter of the app's URL map."
RENAME = "Rename the folder without it."


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
        ("x[...a]", AROUND, "Write [...a] alone."),
        ("[...a].json", AROUND, "Write [...a] alone."),
        ("[a][...b]", AROUND, "Write [...b] alone."),
        ("x[[...a]]", AROUND, "Write [[...a]] alone."),
        ("[[...a]].json", AROUND, "Write [[...a]] alone."),
        ("[...a=int]", CONVERTED, "Write [...a]."),
        ("[[...a=int]]", CONVERTED, "Write [[...a]]."),
        ("[[a]]", OPTIONAL, "Write [[...a]], or [a] beside a route.py in the folder above."),
        ("[[]]", OPTIONAL, "Write [[...name]], or [name] beside a route.py in the folder above."),
        ("[…a]", DOTS, "Did you mean [...a], with three dots?"),
        ("[[…a]]", DOTS, "Did you mean [[...a]], with three dots?"),
        ("[int:a]", FLASK_STYLE, "Did you mean [a=int]?"),
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
        ("@slot", SLOT, "Rename the folder to 'slot', or to a group, (slot)."),
        ("(.)ab", INTERCEPTED, "Rename the folder to 'ab'."),
        ("(..)(..)ab", INTERCEPTED, "Rename the folder to 'ab'."),
        ("(...)", INTERCEPTED, "Rename the folder to 'a name'."),
        ("()", "A group needs a name.", "Write (name)."),
        ("( )", "A group needs a name.", "Write (name)."),
        ("(a)b", PARENTHESES, WRITE_GROUP),
        ("a(b)", PARENTHESES, WRITE_GROUP),
        ("(a)(b)", PARENTHESES, WRITE_GROUP),
        ("((ab))", PARENTHESES, WRITE_GROUP),
        ("(ab", PARENTHESES, WRITE_GROUP),
        ("ab)", PARENTHESES, WRITE_GROUP),
        (")", PARENTHESES, "Write (name) for a group, or name for a segment of the URL."),
        ("(a)[b]", MIXED, WRITE_BOTH),
        ("[b](a)", MIXED, WRITE_BOTH),
        ("[a=int(min=1)]", MIXED, WRITE_BOTH),
        ("a%2Cb", ENCODED, "Rename the folder to a,b."),
        ("%5fname", ENCODED, "Rename the folder to %5Fname."),
        ("caf%C3%A9", ENCODED, "Rename the folder to café."),
        ("a%20b%2C", ENCODED, "Rename the folder to a b,."),
        ("%5Fa%2Cb", ENCODED, "Rename the folder to %5Fa,b."),
        ("a%2Fb", ENCODED, "Rename the folder without the %."),
        ("a%3Cb", ENCODED, "Rename the folder without the %."),
        ("a%00b", ENCODED, "Rename the folder without the %."),
        ("%FF", ENCODED, "Rename the folder without the %."),
        ("100%", ENCODED, "Rename the folder without the %."),
        ("<a", CHARACTER.format(r"'<'"), RENAME),
        ("<a>.json", CHARACTER.format(r"'<'"), RENAME),
        ("<a>", CHARACTER.format(r"'<'"), "Did you mean [a]?"),
        ("<int:post_id>", CHARACTER.format(r"'<'"), "Did you mean [post_id=int]?"),
        ("<path:rest>", CHARACTER.format(r"'<'"), "Did you mean [...rest]?"),
        ("<class>", CHARACTER.format(r"'<'"), "Did you mean [class_]?"),
        ("a>", CHARACTER.format(r"'>'"), RENAME),
        ("a\\b", CHARACTER.format(r"'\\'"), RENAME),
        ("a\tb", CHARACTER.format(r"'\t'"), RENAME),
        ("a\x7f", CHARACTER.format(r"'\x7f'"), RENAME),
        ("a\x85[b]", CHARACTER.format(r"'\x85'"), RENAME),
        ("a\ufffd", CHARACTER.format(r"'\ufffd'"), RENAME),
        ("caf\udce9", CHARACTER.format(r"'\udce9'"), RENAME),
    ],
)  # fmt: skip
def test_a_name_that_is_no_segment_is_refused_with_a_cure(folder, reason, hint):
    with pytest.raises(SegmentError) as caught:
        parse_segment(folder)
    assert (caught.value.problem.reason, caught.value.problem.hint) == (reason, hint)
    assert str(caught.value) == f"{reason} {hint}"


#: What folder names are made of, and what they are easily mistaken for.
PIECES = ("[", "]", "[[", "]]", "(", ")", "...", "…", "=", ":", "%5F", "%", "@", "_", ".", "-",
          "{", "}", "<", "\\", " ", "|", "a", "id", "post-id", "int", "class", "request",
          "1", "é", "e\u0301", "\ufb01", "\u0bf0", "\udce9", "\x01", "(.)", "[a]")  # fmt: skip

search = settings(max_examples=500, derandomize=True, database=None, deadline=None)
folder_names = (
    st.text(st.characters(exclude_characters="/\0"), min_size=1)
    | st.lists(st.sampled_from(PIECES), min_size=1, max_size=8).map("".join)
).filter(lambda name: name not in (".", ".."))


def refused(folder: str) -> SegmentError | None:
    try:
        parse_segment(folder)
    except SegmentError as error:
        return error
    return None


@search
@given(folder_names)
@example("[post-id={}]")
def test_any_folder_name_is_a_segment_or_is_refused_with_a_reason_and_a_cure(folder):
    error = refused(folder)
    if error:
        assert error.problem.reason.endswith(".")
        assert error.problem.hint.endswith((".", "?"))
    else:
        segment = parse_segment(folder)
        assert segment.folder == folder
        assert parse_segment(segment.folder) == segment


@search
@given(folder_names)
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
def test_every_folder_that_a_cure_shows_is_legal(folder):
    error = refused(folder)
    shown = re.findall(r"\[\[.*?\]\]|\[.*?\]|\(.*?\)", error.problem.hint) if error else []
    assert [hint for hint in shown if refused(hint)] == []


@search
@given(folder_names)
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
    assert spelled == unicodedata.normalize("NFC", folder.replace("%5F", "_"))


@search
@given(folder_names)
@example("[__debug__]")
def test_every_parameter_can_be_the_argument_of_a_function(folder):
    if not refused(folder):
        for parameter in parse_segment(folder).parameters:
            compile(f"def GET({parameter.name}): ...", "route.py", "exec")
