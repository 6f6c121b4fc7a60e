"""Which route file answers a path, by the contract's sentences alone: every file is tried.

It knows nothing of the package, of Werkzeug or of regular expressions.
"""

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
#: The longest text for two parameters: there are too many ways to divide a longer one.
LONGEST = 1024


@cache
def places(route: str) -> list[tuple[tuple[int, ...], Any]]:
    """For each folder that shows in the URL: when its turn comes, and what it is made of."""
    return [read(folder) for folder in route.split("/") if folder and folder[0] != "("]


def read(folder: str) -> tuple[tuple[int, ...], Any]:
    text, *brackets = folder.replace("%5F", "_").split("[")
    if "[..." in folder:
        return (OPTIONAL if len(brackets) == 2 else CATCH_ALL,), folder.strip("[.]")
    pieces: list[Any] = [text]
    for inside, _, after in (bracket.partition("]") for bracket in brackets):
        pieces += [inside.partition("=")[::2], after]
    length = sum(map(len, pieces[::2]))
    kind = TEXT if length else CONVERTER if "=" in folder else SLUG
    rank = (kind, -length, "=" not in folder) if brackets else (STATIC,)
    return rank, [piece for piece in pieces if piece]


def fit(pieces: list[Any], text: str) -> dict[str, Any] | None:
    """The parameters of one segment; the first of several takes as much as it can."""
    if not pieces:
        return None if text else {}
    head, *rest = pieces
    if isinstance(head, str):
        return fit(rest, text[len(head) :]) if text.startswith(head) else None
    if len(rest) > 1 and len(text) > LONGEST:
        return None
    name, (takes, convert) = head[0], CONVERTERS[head[1]]
    for end in range(len(text), 0 if rest else len(text) - 1, -1):
        others = fit(rest, text[end:])
        if others is not None and takes(text[:end]):
            return {name: convert(text[:end]), **others}
    return None


def match(route: str, path: str) -> dict[str, Any] | None:
    """The parameters that a path gives a route file; ``None`` when it is not for it."""
    segments, folders = path.split("/")[1:] if path != "/" else [], places(route)
    if len(segments) != len(folders) and (not folders or folders[-1][0][0] < CATCH_ALL):
        return None
    found: dict[str, Any] = {}
    for n, (rank, pieces) in enumerate(folders):
        rest = segments[n:]
        if rank[0] >= CATCH_ALL:
            enough = all(rest) and (rest or rank[0] == OPTIONAL)
            return {**found, pieces: rest} if enough else None
        if not rest or (values := fit(pieces, rest[0])) is None:
            return None
        found |= values
    return found


def answer(routes: list[str], path: str) -> tuple[str, dict[str, Any]] | None:
    """The one of these routes (folder paths) that answers a decoded path, and its parameters."""
    found = [(route, match(route, path)) for route in routes]
    ranked = [([rank for rank, _ in places(r)], r, p) for r, p in found if p is not None]
    return min(ranked, key=lambda one: one[0])[1:] if ranked else None
