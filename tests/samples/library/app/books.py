from datetime import date
from enum import Enum
from typing import Annotated, Literal, TypedDict

from pydantic import BaseModel, ConfigDict, Field

Isbn = Annotated[str, Field(pattern=r"^[0-9]{13}$", examples=["9780141439518"])]
Title = Annotated[str, Field(min_length=1, max_length=200)]


class Genre(Enum):
    NOVEL = "novel"
    POEMS = "poems"
    SCIENCE = "science"


class Paper(BaseModel):
    kind: Literal["paper"]
    pages: Annotated[int, Field(gt=0, le=10_000)]


class Audio(BaseModel):
    kind: Literal["audio"]
    minutes: Annotated[float, Field(gt=0, lt=100_000)]


class NewBook(BaseModel):
    model_config = ConfigDict(extra="forbid")

    isbn: Isbn
    title: Title
    genre: Genre = Genre.NOVEL
    published: date | None = None
    cents: Annotated[int, Field(ge=0)] = 0
    form: Annotated[Paper | Audio, Field(discriminator="kind")]
    keywords: Annotated[set[Title], Field(max_length=5)] = set()


class Book(NewBook):
    copies: int


class Changes(TypedDict, total=False):
    title: Title
    published: date | None


class Location(TypedDict):
    Location: str


FIRST = Book(
    isbn="9780141439518",
    title="Pride and Prejudice",
    published=date(1813, 1, 28),
    form=Paper(kind="paper", pages=480),
    copies=2,
)
BOOKS = {FIRST.isbn: FIRST}
COVERS: dict[str, bytes] = {}
