from flask_routehandlers import RouteParams

from ...._lib import posts


def GET(params: RouteParams) -> dict[str, int]:
    number: int = posts.COUNT  # by mypy: attr-defined; by pyright: reportAttributeAccessIssue
    words: int = params.words  # by mypy: attr-defined; by pyright: reportAttributeAccessIssue
    return {"posts": number, "words": words}
