"""What readers say."""

from typing import Annotated, Literal, TypedDict

from flask_routehandlers import Bearer, Body
from pydantic import BaseModel, Field, RootModel


class Stars(RootModel[Annotated[int, Field(ge=1, le=5)]]):
    pass


class Review(BaseModel):
    stars: Stars
    words: str | None = None
    replies: list["Review"] = []


class Status(TypedDict):
    status: Literal["published", "waiting"]


def POST(
    body: Body[list[Review]], token: Bearer | None = None
) -> tuple[list[Review], Literal[201]] | tuple[Status, Literal[202]]:
    """Write reviews. Those of unknown readers wait."""
    if token is None:
        return {"status": "waiting"}, 202
    return body, 201
