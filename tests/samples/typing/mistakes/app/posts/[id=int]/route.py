from ..._lib.guards import counted
from ..._lib.posts import POSTS, Post


def GET(id: str) -> Post:
    return POSTS[id]  # by mypy: index; by pyright: reportArgumentType


PUT = counted("PUT")  # by mypy: arg-type; by pyright: reportArgumentType


def PATCH(id):  # by mypy: no-untyped-def
    return POSTS[id]
