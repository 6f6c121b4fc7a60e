from flask_routehandlers import RouteParams

from ...._lib import posts


def GET(params: RouteParams) -> dict[str, int]:
    words: list[str] = params["words"]
    return {"posts": len(posts.POSTS), "words": len(words)}
