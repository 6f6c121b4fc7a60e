from uuid import UUID

from flask_routehandlers import NoContent
from werkzeug.exceptions import NotFound

from app.members import LOANS


def DELETE(id: UUID, number: int) -> NoContent | NotFound:
    """Take a book back."""
    if number >= len(LOANS.get(id, [])):
        return NotFound("There is no such loan.")
    del LOANS[id][number]
    return "", 204
