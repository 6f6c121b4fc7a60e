from typing import TypedDict
from uuid import UUID

from flask_routehandlers import Body, Created
from werkzeug.exceptions import NotFound

from app.books import Isbn
from app.members import LOANS


class Loan(TypedDict):
    isbn: Isbn


def GET(id: UUID) -> list[Loan] | NotFound:
    """List the books that a member has."""
    if id not in LOANS:
        return NotFound("There is no such member.")
    return [{"isbn": isbn} for isbn in LOANS[id]]


def POST(id: UUID, body: Body[Loan]) -> Created[Loan] | NotFound:
    """Lend a book to a member."""
    if id not in LOANS:
        return NotFound("There is no such member.")
    LOANS[id].append(body["isbn"])
    return body, 201
