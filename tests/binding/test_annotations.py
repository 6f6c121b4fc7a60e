"""Annotations of handlers, compared with what their folders pass."""

from __future__ import annotations

import sys

import pytest
from werkzeug.routing import BaseConverter

from flask_routehandlers import RouteHandlers
from tests.support import bare_app, refused

PREAMBLE = """
{future}
from decimal import Decimal
from enum import StrEnum
from typing import *
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from uuid import UUID

T = TypeVar("T")
Slug = NewType("Slug", str)
UserId = NewType("UserId", int)
Noted = NewType("Noted", Annotated[int, "a note"])

class Color(StrEnum):
    red = "red"

class Text(str):
    pass

class Sized(Protocol):
    size: int

class HasUpper(Protocol):
    def upper(self) -> str: ...

@runtime_checkable
class HasLower(Protocol):
    def lower(self) -> str: ...

@runtime_checkable
class HasMove(Protocol):
    def move(self) -> str: ...

def GET(x: {annotation}): return type(x).__name__
"""

with_and_without_future = pytest.mark.parametrize(
    "future", ["", "from __future__ import annotations"], ids=["plain", "future"]
)


def annotated_file(annotation: str, future: str = "") -> str:
    """Return a route file whose GET annotates ``x``."""
    return PREAMBLE.format(annotation=annotation, future=future)


#: Annotations, separated by blanks, that each folder satisfies.
FITTING = {
    "[x]": "str Any object Slug T Sized HasUpper HasLower Iterable[str] Sequence[str] "
    "Annotated[str,1] Optional[str] Union[int,str] str|None int|str Literal['a','b'] 'str' "
    "'str|None' Optional['str'] Collection Iterable Hashable 'Annotated[str,1]'",
    "[x=string]": "str Any",
    "[x].json": "str Any",
    "[x=int]": "int float complex Any object UserId Noted int|None Annotated[int,1] T "
    "Literal[1,2] 'int' SupportsInt",
    "[x=float]": "float complex Any object float|str Optional[float] Annotated[float,'x'] "
    "SupportsFloat",
    "[x=uuid]": "UUID Any object UUID|None Annotated[UUID,1] Hashable",
    "[...x]": "list list[str] List List[str] Sequence[str] Iterable[str] Collection[str] "
    "Sequence Iterable list[Any] Sequence[object] list[Slug] Any object list[str|int] T list[T] "
    "Sized Annotated[list[str],1] Optional[list[str]] list[str]|None 'list[str]' "
    "Sequence[Optional[str]] Reversible[str] HasUpper",
    "[[...x]]": "list[str] Sequence[str] Optional[list[str]]",
    # The type of another converter's values is not known.
    "[x=day]": "int str list[str] Decimal Color",
}


@with_and_without_future
@pytest.mark.parametrize(
    ("folder", "annotation"),
    [(folder, name) for folder, names in FITTING.items() for name in names.split()],
)
def test_a_fitting_annotation_is_accepted(tree, folder, annotation, future):
    app = bare_app(tree({f"{folder}/route.py": annotated_file(annotation, future)}))
    app.url_map.converters["day"] = type("DayConverter", (BaseConverter,), {})
    RouteHandlers(app)
    assert len(app.extensions["routehandlers"]["api"].routes) == 1


#: Contradicting annotations: folder, annotation, its form in the message, and the hint.
CONTRADICTING = [
    ("[x]", "int", "int", "Rename the folder to [x=int], or write x: str."),
    ("[x]", "float", "float", "Rename the folder to [x=float], or write x: str."),
    ("[x]", "UUID", "UUID", "Rename the folder to [x=uuid], or write x: str."),
    ("[x]", "'int'", "int", "Rename the folder to [x=int], or write x: str."),
    ("[x]", "Annotated[int, 1]", "int", "Rename the folder to [x=int], or write x: str."),
    ("[x]", "bool", "bool", "Write x: str."),
    ("[x]", "bytes", "bytes", "Write x: str."),
    ("[x]", "None", "NoneType", "Write x: str."),
    ("[x]", "Decimal", "Decimal", "Write x: str."),
    ("[x]", "Color", "Color", "Write x: str."),
    ("[x]", "Text", "Text", "Write x: str."),
    ("[x]", "HasMove", "HasMove", "Write x: str."),
    ("[x]", "list[str]", "list[str]", "Write x: str."),
    ("[x]", "Mapping[str, str]", "collections.abc.Mapping[str, str]", "Write x: str."),
    ("[x]", "Optional[int]", "typing.Optional[int]", "Write x: str."),
    ("[x]", "int | float", "int | float", "Write x: str."),
    ("[x]", "Literal[1, 2]", "typing.Literal[1, 2]", "Write x: str."),
    ("[x].json", "int", "int", "Rename the folder to [x=int].json, or write x: str."),
    ("@[x]", "UUID", "UUID", "Rename the folder to @[x=uuid], or write x: str."),
    ("[x=string]", "int", "int", "Write x: str."),
    ("[x=int]", "str", "str", "Write x: int."),
    ("[x=int]", "bool", "bool", "Write x: int."),
    ("[x=int]", "Slug", "{module}.Slug", "Write x: int."),
    ("[x=int]", "Literal['a']", "typing.Literal['a']", "Write x: int."),
    ("[x=float]", "int", "int", "Write x: float."),
    ("[x=uuid]", "str", "str", "Write x: UUID."),
    ("[x=uuid]", "int", "int", "Write x: UUID."),
    ("[...x]", "str", "str", "Write x: list[str]."),
    ("[...x]", "int", "int", "Write x: list[str]."),
    ("[...x]", "list[int]", "list[int]", "Write x: list[str]."),
    ("[...x]", "List[int]", "typing.List[int]", "Write x: list[str]."),
    ("[...x]", "Sequence[int]", "collections.abc.Sequence[int]", "Write x: list[str]."),
    ("[...x]", "tuple[str, ...]", "tuple[str, ...]", "Write x: list[str]."),
    ("[...x]", "set[str]", "set[str]", "Write x: list[str]."),
    ("[...x]", "Iterator[str]", "collections.abc.Iterator[str]", "Write x: list[str]."),
    ("[...x]", "Hashable", "typing.Hashable", "Write x: list[str]."),
    ("[...x]", "Literal['a']", "typing.Literal['a']", "Write x: list[str]."),
    ("[[...x]]", "str", "str", "Write x: list[str]."),
]

#: The value of each kind of folder, as the messages name it.
PASSED = {
    "[x]": "a str",
    "[x].json": "a str",
    "@[x]": "a str",
    "[x=string]": "a str",
    "[x=int]": "an int",
    "[x=float]": "a float",
    "[x=uuid]": "a UUID",
    "[...x]": "a list[str]",
    "[[...x]]": "a list[str]",
}


@with_and_without_future
@pytest.mark.parametrize(("folder", "annotation", "shown", "hint"), CONTRADICTING)
def test_a_contradicting_annotation_is_refused(refusal, folder, annotation, shown, hint, future):
    [message] = refusal(annotated_file(annotation, future), folder)
    module = message.partition("GET annotates x as ")[2].partition(".Slug")[0]
    shown = shown.format(module=module)
    assert message == (
        f"GET annotates x as {shown}, but the folder {folder} passes {PASSED[folder]}. {hint}"
    )


NEWER = """
from typing import Annotated

type Slug = str
type Path = list[str]
type Id = int
type Noted = Annotated[str, "a note"]
type Deep = Slug
type Pair[T] = tuple[T, T]
"""


@pytest.mark.skipif(sys.version_info < (3, 12), reason="type statements are new in Python 3.12")
@pytest.mark.parametrize(
    ("folder", "annotation", "message"),
    [
        ("[x]", "Slug", None),
        ("[x]", "Noted", None),
        ("[x]", "Deep", None),
        ("[x]", "Slug | None", None),
        ("[...x]", "Path", None),
        ("[x=int]", "Id", None),
        ("[x]", "Id", "x as Id, but the folder [x] passes a str. Write x: str."),
        ("[x]", "Path", "x as Path, but the folder [x] passes a str. Write x: str."),
        (
            "[...x]",
            "Slug",
            "x as Slug, but the folder [...x] passes a list[str]. Write x: list[str].",
        ),
        ("[x=int]", "Deep", "x as Deep, but the folder [x=int] passes an int. Write x: int."),
    ],
)
def test_a_type_statement_is_read_as_its_value(make_app, refusal, folder, annotation, message):
    code = f"{NEWER}\ndef GET(x: {annotation}): return ''"
    if message is None:
        make_app({f"{folder}/route.py": code})
    else:
        assert refusal(code, folder) == [f"GET annotates {message}"]


@pytest.mark.parametrize(
    "code",
    [
        "from __future__ import annotations\nfrom typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    from elsewhere import Slug\n"
        "def GET(x: Slug): return x",
        "def GET(x: 'Missing'): return x",
        "from __future__ import annotations\ndef GET(x: 1 / 0): return x",
    ],
    ids=["TYPE_CHECKING", "unknown name", "raises"],
)
def test_an_unreadable_annotation_is_ignored(make_app, code):
    client = make_app({"[x]/route.py": code}).test_client()
    assert client.get("/api/ann").text == "ann"


def test_an_unreadable_annotation_hides_no_other(refusal):
    [message] = refusal("def GET(x: int, other: 'Missing' = None): return x", "[x]")
    assert message.startswith("GET annotates x as int, but the folder [x] passes a str.")


PARTIAL = "import functools\ndef show(x: int, y): return str(x)\n"


def test_what_a_partial_asks_for_is_compared(refusal):
    [message] = refusal(f"{PARTIAL}GET = functools.partial(show, y=1)", "[x]")
    assert message.startswith("GET annotates x as int, but the folder [x] passes a str.")


def test_what_a_partial_has_filled_is_not_compared(make_app):
    code = f"{PARTIAL}GET = functools.partial(show, 3, 4)"
    assert make_app({"[x]/route.py": code}).test_client().get("/api/ann").text == "3"


def test_only_path_parameters_are_compared(make_app):
    code = "def GET(x, request: int, params: int, extra: bytes = None) -> bytes: return x"
    assert make_app({"[x]/route.py": code}).test_client().get("/api/ann").text == "ann"


def test_methods_and_instances_are_compared_too(refusal):
    message = (
        "x as int, but the folder [x] passes a str. Rename the folder to [x=int], or write x: str."
    )
    code = """
class Handlers:
    def get(self, x: int): return ''
    def __call__(self, x: int): return ''

GET = Handlers().get
POST = Handlers()
"""
    assert refusal(code, "[x]") == [f"GET annotates {message}", f"POST annotates {message}"]


def test_a_contradiction_of_a_prefix_names_it(tree):
    app = bare_app(tree({"route.py": "def GET(year: str): return ''"}))
    [problem] = refused(app, url_prefix="/<int:year>")
    assert problem.files == ("route.py",)
    assert problem.reason == (
        "GET annotates year as str, but the url_prefix /<int:year> passes an int."
    )
    assert problem.hint == "Write year: int."
