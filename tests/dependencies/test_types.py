"""The type of a dependency against the annotation of an argument that it is."""

from __future__ import annotations

import re

import pytest

TYPES = """
from typing import *
from werkzeug.exceptions import HTTPException
from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum, IntEnum
from uuid import UUID

class User: ...
class Admin(User): ...
class Other: ...
class Box(Generic[TypeVar("T")]): ...
class Named(Protocol):
    name: str
class Fields(TypedDict):
    name: str
class Store(ABC):
    @abstractmethod
    def get(self): ...
class Memory(Store):
    def get(self): ...
class Colour(Enum):
    RED = 1
class Size(IntEnum):
    BIG = 1
Id = NewType("Id", int)
Alias = User
T = TypeVar("T")
class Gone(HTTPException):
    code = 410
"""

ACCEPTED = [
    ("User", "User"),
    ("Admin", "User"),
    ("User", "Admin"),
    ("'User'", "User"),
    ("User | NotFound | Gone", "User"),
    ("User | None", "User"),
    ("User", "User | None"),
    ("User | Other", "Other"),
    ("Other", "User | Other"),
    ("Optional[User]", "User"),
    ("Annotated[User, 1]", "Annotated[User, 2]"),
    ("Annotated[User | NotFound, 1]", "User"),
    ("Alias", "User"),
    ("int", "float"),
    ("bool", "int"),
    ("Size", "int"),
    ("Id", "int"),
    ("datetime", "date"),
    ("list[int]", "list[str]"),
    ("list[int]", "Sequence[int]"),
    ("Box[int]", "Box"),
    ("dict", "Mapping"),
    ("Any", "User"),
    ("User", "Any"),
    ("object", "User"),
    ("User", "object"),
    ("User", "Named"),
    ("Named", "User"),
    ("dict", "Fields"),
    ("Fields", "User"),
    ("Store", "User"),
    ("Memory", "Store"),
    ("Memory", "User"),
    ("T", "User"),
    ("Callable[[], int]", "User"),
    ("Literal['a']", "int"),
    ("type[User]", "type[Admin]"),
    ("None", "None"),
    ("'Missing'", "User"),
    ("User", "'Missing'"),
    ("NotFound", "User"),
]

#: A return annotation, the annotation of an argument, and how the message spells both.
REFUSED = [
    ("User", "Other", "User", "Other"),
    ("User", "int", "User", "int"),
    ("str", "int", "str", "int"),
    ("float", "int", "float", "int"),
    ("int", "bytes | None", "int", "bytes | None"),
    ("User | NotFound", "Other", "User", "Other"),
    ("User | Other", "str | int", "Union[{m}.User, {m}.Other]", "str | int"),
    ("None", "User", "NoneType", "User"),
    ("User", "None", "User", "NoneType"),
    ("Annotated[User, 1]", "Other", "Annotated[{m}.User, 1]", "Other"),
    ("Colour", "int", "Colour", "int"),
    ("Box[int]", "User", "{m}.Box[int]", "User"),
    ("list[int]", "tuple", "list[int]", "tuple"),
    ("Id", "str", "{m}.Id", "str"),
]

DEFINITIONS = {
    "function": "def d{n}() -> {returned}: ...",
    "async function": "async def d{n}() -> {returned}: ...",
    "generator": "def d{n}() -> Iterator[{returned}]: yield",
    "async generator": "async def d{n}() -> AsyncGenerator[{returned}, None]: yield",
}

each_definition = pytest.mark.parametrize("define", DEFINITIONS.values(), ids=DEFINITIONS)


def files_of(define: str, returned: list[str], routes: dict[str, str]) -> dict[str, str]:
    """Return files with a dependency for each return annotation: ``d0``, ``d1``, ..."""
    functions = [define.format(n=n, returned=kind) for n, kind in enumerate(returned)]
    types = "from {}._lib.types import *\n"
    return {
        "_lib/types.py": TYPES,
        "dependencies.py": "\n".join([types.format(""), *functions]),
        **{file: types.format(".") + code for file, code in routes.items()},
    }


@each_definition
def test_types_that_fit_are_accepted(serve, define):
    wanted = ", ".join(f"d{n}: {kind}" for n, (_, kind) in enumerate(ACCEPTED))
    returned = [kind for kind, _ in ACCEPTED]
    serve(files_of(define, returned, {"x/route.py": f"def GET({wanted}): ..."}))


@each_definition
def test_types_that_contradict_are_refused(refuse, define):
    routes = {
        f"r{n:02}/route.py": f"def GET(d{n}: {wanted}): ..."
        for n, (_, wanted, _, _) in enumerate(REFUSED)
    }
    found = refuse(files_of(define, [returned for returned, *_ in REFUSED], routes))
    assert len(found) == len(REFUSED)
    for n, (_, _, actual, wanted) in enumerate(REFUSED):
        place, message = found[n]
        module = re.search(r"[\w.]*_lib\.types", message)
        spelled = actual.format(m=module and module[0])
        assert place == (f"r{n:02}/route.py",)
        assert message.replace("typing.", "") == (
            f"GET annotates d{n} as {wanted}, but the dependency in dependencies.py returns "
            f"{spelled}. Correct one of the annotations."
        )


def test_the_arguments_of_each_function_are_compared(refuse):
    files = {
        "_lib/types.py": TYPES,
        "dependencies.py": "def user() -> str: ...\ndef other(user: int): ...",
        "middleware.py": "def middleware(user: bytes, call_next): return call_next()",
        "x/dependencies.py": "def user(user: bytes) -> int: ...",
        "x/route.py": "def GET(user: str): ...",
    }
    assert [(place, message.partition(",")[0]) for place, message in refuse(files)] == [
        (("dependencies.py",), "other annotates user as int"),
        (("x/dependencies.py",), "user annotates user as bytes"),
        (("middleware.py",), "middleware annotates user as bytes"),
    ]


def test_what_has_no_annotation_is_left_alone(serve):
    serve(
        "def a(): ...\ndef b() -> int: ...\ndef c(): yield\ndef d() -> Iterator: yield\n"
        "def e() -> Generator: yield",
        "def GET(a: int, b, c: str, d: str, e: str): ...",
    )
