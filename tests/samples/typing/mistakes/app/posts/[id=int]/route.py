from ..._lib.guards import counted
from ..._lib.posts import POSTS, Post


def GET(id: str) -> Post:
    return POSTS[id]  # by mypy: index; by pyright: reportArgumentType


@counted  # by mypy: arg-type; by pyright: reportArgumentType
def PUT(id: int) -> int:
    return id


def PATCH(id):  # by mypy: no-untyped-def
    return POSTS[id]
