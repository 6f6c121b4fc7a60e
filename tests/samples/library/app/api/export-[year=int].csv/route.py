from collections.abc import Iterator
from typing import Literal, TypedDict

from app.books import BOOKS

Csv = TypedDict("Csv", {"Content-Type": Literal["text/csv; charset=utf-8"]})


def GET(year: int) -> tuple[Iterator[str], Literal[200], Csv]:
    """Stream the books of a year for a spreadsheet."""
    books = [book for book in BOOKS.values() if book.published and book.published.year == year]
    return (f"{book.isbn}\n" for book in books), 200, {"Content-Type": "text/csv; charset=utf-8"}
