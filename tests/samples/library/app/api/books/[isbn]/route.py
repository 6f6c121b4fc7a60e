from flask_routehandlers import Body, NoContent
from werkzeug.exceptions import NotFound

from app.books import BOOKS, Book, Changes


def GET(isbn: str) -> Book | NotFound:
    """Get a book."""
    return BOOKS.get(isbn) or NotFound("There is no such book.")


def PATCH(isbn: str, body: Body[Changes]) -> Book | NotFound:
    """Change a book."""
    book = BOOKS.get(isbn)
    if book is None:
        return NotFound("There is no such book.")
    for name, value in body.items():
        setattr(book, name, value)
    return book


def DELETE(isbn: str) -> NoContent:
    """Remove a book, if there is one."""
    BOOKS.pop(isbn, None)
    return "", 204
