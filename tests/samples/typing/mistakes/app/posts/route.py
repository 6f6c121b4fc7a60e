from .._lib.posts import POSTS, Post


def GET() -> list[Post]:
    return POSTS  # by mypy: return-value; by pyright: reportReturnType
