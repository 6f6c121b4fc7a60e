from typing import Literal, TypedDict

from flask_routehandlers import Body, NoContent
from werkzeug.exceptions import NotFound

from app.books import COVERS

Png = TypedDict("Png", {"Content-Type": Literal["image/png"]})


def GET(isbn: str) -> tuple[bytes, Literal[200], Png] | NotFound:
    """Get the picture of a cover."""
    if isbn not in COVERS:
        return NotFound("There is no cover.")
    return COVERS[isbn], 200, {"Content-Type": "image/png"}


def PUT(isbn: str, body: Body[bytes]) -> NoContent:
    """Replace the picture of a cover."""
    COVERS[isbn] = body
    return "", 204
