"""Which route file answers a path, by the contract's sentences alone: every file is tried.

It knows nothing of the package, of Werkzeug or of regular expressions.
"""

from collections.abc import Iterable
from functools import cache
from typing import Any
from uuid import UUID

STATIC, TEXT, CONVERTER, SLUG, CATCH_ALL, OPTIONAL = range(6)
ZEROS = str.maketrans("123456789abcdefABCDEF", "0" * 21)
#: Whether a converter takes a text, and what it makes of it. A test can add its own.
CONVERTERS = {
    "": (bool, str),
    "int": (lambda text: text.isdecimal() and len(text) <= 4300, int),
    "float": (lambda text: [*map(str.isdecimal, text.split("."))] == [True, True], float),
    "uuid": (lambda text: text.translate(ZEROS) == str(UUID(int=0)), UUID),
}


@cache
def places(route: str) -> list[tuple[tuple[int, ...], Any]]:
    """For each folder that shows in the URL: when its turn comes, and what it is made of."""
    found = []
    for folder in (name for name in route.split("/") if name and name[0] != "("):
        text, *brackets = folder.replace("%5F", "_").split("[")
        if "[..." in folder:
            rank = (OPTIONAL if len(brackets) == 2 else CATCH_ALL,)
            found.append((rank, folder.strip("[.]")))
            continue
        pieces = [text]
        for inside, _, behind in (bracket.partition("]") for bracket in brackets):
            pieces += [inside.partition("=")[::2], behind]
        length = sum(map(len, pieces[::2]))
        pieces = [piece for piece in pieces if piece]
        kind = TEXT if length else CONVERTER if "=" in folder else SLUG
        found.append(((kind, -length, "=" not in folder) if brackets else (STATIC,), pieces))
    return found


def fit(pieces: list[Any], text: str) -> dict[str, Any] | None:
    """The parameters of one segment; the first of several takes as much as it can."""
    if not pieces:
        return None if text else {}
    head, *rest = pieces
    if isinstance(head, str):
        return fit(rest, text[len(head) :]) if text.startswith(head) else None
    name, (takes, convert) = head[0], CONVERTERS[head[1]]
    for end in range(len(text), 0 if rest else len(text) - 1, -1):
        others = fit(rest, text[end:])
        if others is not None and takes(text[:end]):
            return {name: convert(text[:end]), **others}
    return None


def match(route: str, path: str) -> dict[str, Any] | None:
    """The parameters that a path gives a route file; ``None`` when it is not for it."""
    segments = path.split("/")[1:] if path != "/" else []
    found: dict[str, Any] = {}
    for n, (rank, pieces) in enumerate(places(route)):
        rest = segments[n:]
        if rank[0] >= CATCH_ALL:
            enough = all(rest) and (rest or rank[0] == OPTIONAL)
            return {**found, pieces: rest} if enough else None
        values = fit(pieces, rest[0]) if rest else None
        if values is None:
            return None
        found |= values
    return found if len(segments) == len(places(route)) else None


def answer(routes: Iterable[str], path: str) -> tuple[str, dict[str, Any]] | None:
    """The one of these routes (folder paths) that answers a decoded path, and its parameters."""
    found = [(route, match(route, path)) for route in routes]
    ranked = [([rank for rank, _ in places(r)], r, p) for r, p in found if p is not None]
    return min(ranked, key=lambda one: one[0])[1:] if ranked else None
