from ..._lib.guards import counted
from ..._lib.posts import POSTS, Post


def GET(id: int) -> Post:
    return POSTS[id]


@counted
def DELETE(id: int) -> tuple[str, int]:
    del POSTS[id]
    return "", 204
