"""The catalogue."""

from typing import Annotated, Literal

from flask import url_for
from flask_routehandlers import Body, Query
from pydantic import BaseModel, Field
from werkzeug.exceptions import Conflict

from app.books import BOOKS, Book, Genre, Location, NewBook


class Page(BaseModel):
    """A part of a list."""

    limit: Annotated[int, Field(ge=1, le=100, description="The largest number of books.")] = 20
    offset: Annotated[int, Field(ge=0)] = 0


class Books(BaseModel):
    books: list[Book]
    total: int


class Known(Conflict):
    """The catalogue has the book already."""


def GET(
    page: Query[Page],
    genre: Query[tuple[Genre, ...]] = (),
    in_stock: Query[bool] = False,
    sort: Query[Literal["title", "isbn"]] = "title",
) -> Books:
    """List books.

    The genres are alternatives.
    """
    books = [
        book
        for book in BOOKS.values()
        if (not genre or book.genre in genre) and (book.copies or not in_stock)
    ]
    books.sort(key=lambda book: getattr(book, sort))
    return Books(books=books[page.offset : page.offset + page.limit], total=len(books))


def POST(body: Body[NewBook]) -> tuple[Book, Literal[201], Location] | Known:
    """Add a book."""
    if body.isbn in BOOKS:
        return Known(f"There is a book {body.isbn}.")
    book = Book(**body.model_dump(), copies=0)
    BOOKS[book.isbn] = book
    return book, 201, {"Location": url_for("api./books/[isbn]", isbn=book.isbn)}
