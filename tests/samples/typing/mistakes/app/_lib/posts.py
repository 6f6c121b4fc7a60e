from __future__ import annotations

from typing import TypedDict


class Post(TypedDict):
    id: int
    title: str


POSTS: dict[int, Post] = {1: {"id": 1, "title": "One"}}


def first() -> Post:
    return 1  # by mypy: return-value; by pyright: reportReturnType
