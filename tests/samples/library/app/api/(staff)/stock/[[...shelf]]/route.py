from dataclasses import dataclass
from typing import Annotated

from flask_routehandlers import Cookie, Form, NoContent
from pydantic import Field

from app.books import Isbn


@dataclass
class Delivery:
    isbn: Isbn
    copies: Annotated[int, Field(ge=1, le=1000)]
    note: str = ""


def GET(shelf: list[str], columns: Cookie[int]) -> dict[str, list[str]]:
    """Show a shelf, or all of them."""
    return {"shelf": shelf, "columns": [str(number) for number in range(columns % 10)]}


def POST(shelf: list[str], delivery: Form[Delivery]) -> NoContent:
    """Put a delivery on a shelf."""
    return "", 204
