"""Signatures that cannot be contracts: refused at start-up with file, reason and hint."""

from __future__ import annotations

import pytest

from flask_routehandlers.contracts import libraries
from tests.contracts.support import IMPORTS
from tests.support import bare_app, refused

EXTRA = 'Install it: pip install "{}".'

NOT_IN_BODY = "Use Query, or move it to a POST, PUT, PATCH or DELETE handler."

INPUTS = {
    "def POST(a: Body[int], b: Body[int]): ...": (
        "POST has more than one Body: a and b.",
        "Combine them in one type.",
    ),
    "def POST(a: Body[int], b: Form[int]): ...": (
        "POST has a Body and a Form, but a request has one body.",
        "Use Form for all of it: Form[Json[T]], with pydantic's Json, reads JSON in a form.",
    ),
    "def GET(a: Body[int]): ...": (
        "GET has a Body, but it runs for requests without a body.",
        NOT_IN_BODY,
    ),
    "def HEAD(a: Form[int]): ...": (
        "HEAD has a Form, but it runs for requests without a body.",
        NOT_IN_BODY,
    ),
    "def OPTIONS(a: Body[int] = 3): ...": (
        "OPTIONS has a Body, but it runs for requests without a body.",
        NOT_IN_BODY,
    ),
    "def GET(request: Query[int]): ...": (
        "GET has a marker on request, a reserved name.",
        "Rename the argument.",
    ),
    "def GET(call_next: Query[int]): ...": (
        "GET has a marker on call_next, a reserved name.",
        "Rename the argument.",
    ),
    "def GET(page: Query): ...": (
        "GET annotates page as Query without a type.",
        "Write page: Query[str], or another type.",
    ),
    "def POST(page: Body = 3): ...": (
        "POST annotates page as Body without a type.",
        "Write page: Body[str], or another type.",
    ),
    "def GET(page: Query[int] | None = None): ...": (
        "GET has a marker inside the annotation of page.",
        "Put it outside, as in page: Query[int | None] = None.",
    ),
    "def GET(page: list[Query[int]]): ...": (
        "GET has a marker inside the annotation of page.",
        "Put it outside, as in page: Query[int | None] = None.",
    ),
    "def GET(page: Query[list[Header[int]]]): ...": (
        "GET has a marker inside the annotation of page.",
        "Put it outside, as in page: Query[int | None] = None.",
    ),
    "def GET(page: Annotated[Query[int], Header[int].__metadata__[0]]): ...": (
        "GET has two markers on page.",
        "Use one: a value comes from one part of the request.",
    ),
    "def GET(token: Bearer | None): ...": (
        "GET asks for the optional credential token, which has no default.",
        "Write token: ... | None = None.",
    ),
    "def GET(token: Bearer | Annotated[str, Scheme('X')] | None = None): ...": (
        "GET has a marker inside the annotation of token.",
        "Put it outside, as in page: Query[int | None] = None.",
    ),
    "def GET(token: Annotated[int, Scheme('X')]): ...": (
        "GET annotates the credential token as another type than str.",
        "Write Annotated[str, Scheme(...)].",
    ),
    "def GET(authorization: Header[str]): ...": (
        "GET reads the header Authorization with Header.",
        "Write authorization: Bearer, or Annotated[str, Scheme(...)] for another scheme.",
    ),
    "class Meta(TypedDict):\n    authorization: str\ndef GET(meta: Header[Meta]): ...": (
        "GET reads the header Authorization with Header.",
        "Write meta: Bearer, or Annotated[str, Scheme(...)] for another scheme.",
    ),
    "def GET(a: Query[dict[str, int]]): ...": (
        "GET annotates a as a dict, but its value is one string.",
        "Write a TypedDict with the keys.",
    ),
    "class T(TypedDict):\n    a: int\ndef GET(a: Query[T | int]): ...": (
        "GET annotates a with a structured and a plain type.",
        "Use one of them: a structured type is all of its place, a plain type one key.",
    ),
    "class T(TypedDict):\n    a: int\ndef GET(a: Query[list[T]]): ...": (
        "GET annotates a as a list of objects, but its values are strings.",
        "Read them from a Body, or as JSON: Query[Json[...]], with pydantic's Json.",
    ),
    "class T(BaseModel):\n    b: dict[str, int]\ndef GET(a: Query[T]): ...": (
        "GET reads a, whose field b is an object, but its value is one string.",
        "Read it from a Body, or annotate the field as Json[...], with pydantic's Json.",
    ),
    "class S(msgspec.Struct):\n    a: int\nclass T(msgspec.Struct):\n    s: S\n"
    "def POST(a: Form[T]): ...": (
        "POST reads a, whose field s is an object, but its value is one string.",
        "Read it from a Body, or annotate the field as Json[...], with pydantic's Json.",
    ),
    "def GET(a: Query[FileStorage]): ...": (
        "GET annotates a as a file, which only a form has.",
        "Write a: Form[FileStorage].",
    ),
    "def GET(a: Query[Annotated[int, Field(validation_alias=pydantic.AliasChoices('b'))]]): ...": (
        "GET cannot read a: The alias AliasChoices(choices=['b']) is not a string.",
        'Write Field(alias="page-size").',
    ),
    "class S(msgspec.Struct):\n    a: int\nclass M(BaseModel):\n    b: int\n"
    "def POST(a: Body[S | M]): ...": (
        "POST cannot read a: The type mixes pydantic and msgspec.",
        "Use types of one library in an annotation.",
    ),
    "def POST(a: Body[Annotated[int, Field(gt=1), msgspec.Meta(lt=3)]]): ...": (
        "POST cannot read a: The type mixes pydantic and msgspec.",
        "Use types of one library in an annotation.",
    ),
    "if TYPE_CHECKING:\n    from elsewhere import Page\ndef GET(page: 'Query[Page]'): ...": (
        "GET annotates page as Query[Page], which cannot be evaluated: "
        "name 'Page' is not defined.",
        "Import its names at run time, not only for type checkers.",
    ),
    "def GET(page: Query[int]) -> 'Missing': ...": (
        "GET annotates its answers as Missing, which cannot be evaluated: "
        "name 'Missing' is not defined.",
        "Import its names at run time, not only for type checkers.",
    ),
    "revalidate = 60\ndef GET(page: Query[int], token: Bearer): ...": (
        "GET is static, but it reads page, token from each request.",
        'Read it from the path, or write dynamic = "force-dynamic".',
    ),
    "revalidate = 60\ndef cache_tags(tag: Query[str]): ...\ndef GET(): ...": (
        "cache_tags has a marker on tag, but it sees the path only.",
        "Remove the argument.",
    ),
}


@pytest.mark.parametrize("code", INPUTS)
def test_inputs_that_no_request_provides(refusal, code):
    assert refusal(code) == [INPUTS[code]]


@pytest.mark.parametrize(
    ("annotation", "reason"),
    [
        (
            "Body[X]",
            "POST cannot read a: pydantic refuses the type X: Unable to generate "
            "pydantic-core schema for <class ",
        ),
        ("Query[X]", "POST cannot read a: pydantic refuses the type X: "),
        (
            "Body[list['Missing']]",
            "POST annotates a as Body[list['Missing']], which cannot be evaluated: ",
        ),
        ("Body[Annotated[X, msgspec.Meta(title='x')]]", ""),
        ("Query[Callables]", "POST cannot read a: pydantic has no JSON Schema for it: "),
    ],
)
def test_a_type_that_a_library_refuses(refusal, annotation, reason):
    code = "class X: ...\nclass Callables(BaseModel):\n    f: Callable[[], int]\n"
    if "msgspec" in annotation:
        code = "class X: ...\nclass S(msgspec.Struct):\n    a: set[str] | list[str]\n"
        annotation = "Body[S]"
        reason = "POST cannot read a: msgspec refuses the type S: Type unions may not contain more"
    [(actual, hint)] = refusal(f"{code}def POST(b: Query[int], a: {annotation}): ...")
    assert actual.startswith(reason)
    assert actual.endswith(".")
    assert hint in (
        "Use a type that pydantic supports.",
        "Use a type that msgspec supports.",
        "Use a type that JSON Schema can describe.",
        "Import its names at run time, not only for type checkers.",
    )


@pytest.mark.parametrize("code", ["a: Query[int] = 3", "b, a: Query[int]"])
def test_a_marker_on_a_path_parameter(refusal, code):
    assert refusal(f"def GET({code}): ...", "[a]/[b]/route.py") == [
        (
            "GET has a marker on a, a parameter of the path.",
            "Remove the marker, or rename the argument.",
        )
    ]


def test_a_body_in_a_middleware(tree):
    code = f"{IMPORTS}def middleware(call_next, body: Body[int]): ..."
    [problem] = refused(bare_app(tree({"middleware.py": code}, "x")))
    assert problem.files == ("middleware.py",)
    assert (problem.reason, problem.hint) == (
        "middleware has a Body, but it runs for requests without a body.",
        NOT_IN_BODY,
    )


@pytest.mark.parametrize(
    ("annotation", "reason", "hint"),
    [
        (
            "T | OutOfStock",
            "GET declares OutOfStock, which is not an HTTP error with a status.",
            "Write class OutOfStock(Conflict), or another class of werkzeug.exceptions.",
        ),
        (
            "T | HTTPException",
            "GET declares HTTPException, which is not an HTTP error with a status.",
            "Write class HTTPException(Conflict), or another class of werkzeug.exceptions.",
        ),
        (
            "T | None",
            "GET declares None, which is not a response.",
            'Declare an error, for example NotFound, or NoContent for return "", 204.',
        ),
        (
            "tuple[T, ...]",
            "GET declares a tuple that is not a body with a status or headers.",
            "Write tuple[Body, Literal[201]] or tuple[Body, Literal[201], Headers], or list[...] "
            "for a JSON array.",
        ),
        (
            "tuple[T, Literal['201']]",
            "GET declares a status that is not a Literal of a number.",
            "Write tuple[Body, Literal[201]], or tuple[Body, int] for any status.",
        ),
        (
            "tuple[T, Literal[99]]",
            "GET declares a status that is not a Literal of a number.",
            "Write tuple[Body, Literal[201]], or tuple[Body, int] for any status.",
        ),
        (
            "tuple[T, str]",
            "GET declares a status that is not a Literal of a number.",
            "Write tuple[Body, Literal[201]], or tuple[Body, int] for any status.",
        ),
        (
            "Iterator[T]",
            "GET declares a stream of another type than str or bytes.",
            "Write Iterator[str], or list[...] for a JSON array.",
        ),
        (
            "S | M",
            "GET cannot answer: The type mixes pydantic and msgspec.",
            "Use types of one library in an annotation.",
        ),
    ],
)
def test_outputs_that_no_handler_can_give(refusal, annotation, reason, hint):
    code = """
class T(TypedDict):
    a: int
class S(msgspec.Struct):
    a: int
class M(BaseModel):
    a: int
class OutOfStock(Exception): ...
"""
    assert refusal(f"{code}def GET() -> {annotation}: ...") == [(reason, hint)]


@pytest.mark.parametrize(
    ("missing", "code", "reason"),
    [
        ("pydantic msgspec", "def GET(a: Query[int]): ...", "GET cannot read a: pydantic is not"),
        ("pydantic msgspec", "def POST(a: Body[T]): ...", "POST cannot read a: pydantic is not"),
        ("pydantic", "def POST(a: Body[M]): ...", "POST cannot read a: pydantic is not"),
        ("msgspec", "def POST(a: Body[S]): ...", "POST cannot read a: msgspec is not"),
        ("msgspec", "def POST(a: Form[A]): ...", "POST cannot read a: msgspec is not"),
        ("msgspec", "def GET() -> S: ...", "GET cannot answer: msgspec is not"),
    ],
)
def test_a_library_that_is_not_installed(refusal, monkeypatch, missing, code, reason):
    monkeypatch.setattr(libraries, "find_spec", lambda name: None if name in missing else 1)
    types = """
class T(TypedDict):
    a: int
class M(BaseModel):
    a: int
class S(msgspec.Struct):
    a: int
@attrs.define
class A:
    a: int
"""
    extra = "msgspec>=0.19" if "msgspec is" in reason else "pydantic>=2.11"
    assert refusal(types + code) == [(f"{reason} installed.", EXTRA.format(extra))]


def test_all_problems_of_a_file_are_reported(refusal):
    code = "def GET(a: Query): ...\ndef POST(a: Body[int], b: Body[int]): ...\ndef PUT(nope): ..."
    reasons = [reason for reason, _ in refusal(code)]
    assert [reason.split()[0] for reason in reasons] == ["GET", "POST", "PUT"]


@pytest.mark.parametrize(
    ("method", "annotation", "suggested"),
    [
        ("GET", "", "Query[str]"),
        ("GET", ": int", "Query[int]"),
        ("GET", ": list[int]", "Query[list[int]]"),
        ("GET", ": int | None", "Query[int | None]"),
        ("GET", ": 'Page'", "Query[Page]"),
        ("POST", ": Page", "Body[Page]"),
        ("POST", ": list[str]", "Query[list[str]]"),
        ("POST", ": 'Missing'", "Query[Missing]"),
    ],
)
def test_an_unknown_argument_gets_a_marker_as_hint(refusal, method, annotation, suggested):
    code = f"class Page(TypedDict):\n    a: int\ndef {method}(thing{annotation}): ..."
    [(reason, hint)] = refusal(code)
    assert reason == f"{method} asks for 'thing', which is not in the path."
    assert hint == (
        "It can ask for 'request' and 'params'. Any other parameter needs a default. "
        f"For a value from the client, write thing: {suggested}. "
        "For any other, define thing() in a dependencies.py of this folder or above."
    )
