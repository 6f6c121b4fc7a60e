from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NotRequired, TypedDict

from pydantic import BaseModel
from werkzeug.exceptions import Conflict, Unauthorized


class Page(BaseModel):
    limit: int = 20


class CreateArticle(TypedDict):
    title: str
    tags: NotRequired[list[str]]


class ChangeArticle(TypedDict, total=False):
    title: str


class OneArticle(BaseModel):
    title: str


class Location(TypedDict):
    Location: str


@dataclass
class Credentials:
    name: str
    password: str


class Session(TypedDict):
    token: str


class WrongPassword(Unauthorized):
    """The password is wrong."""


class OutOfStock(Conflict):
    """Nothing is left."""


Csv = TypedDict("Csv", {"Content-Type": Literal["text/csv"]})
