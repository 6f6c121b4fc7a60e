"""Guess which routes a path was meant for that nothing matches."""

from __future__ import annotations

from difflib import SequenceMatcher
from functools import lru_cache
from itertools import zip_longest

from .build import Mount
from .routes import Route
from .tree.segments import CatchAll, Dynamic, Segment, Static

#: How alike a path and a route have to be, from 0 to 1, and how much less than the nearest one.
LEAST, MARGIN = 0.6, 0.1

#: How many routes are named at most.
MOST = 3

#: How many wrong characters a segment counts for that only one of the two has.
ODD = 4


def did_you_mean(mount: Mount, path: str) -> str | None:
    """A question that names the rules of the nearest routes, or ``None`` if none is near.

    :param path: the path below the prefix of the tree, without a leading slash.
    """
    parts = [part for part in path.lower().split("/") if part]
    scores = {route.rules[-1].rule: _likeness(route, parts) for route in mount.routes}
    nearest = sorted(scores, key=lambda rule: -scores[rule])[:MOST]
    least = max([LEAST, *(scores[rule] - MARGIN for rule in nearest[:1])])
    near = [rule for rule in nearest if scores[rule] >= least]
    if not near:
        return None
    *others, last = near
    return f"Did you mean {', '.join(others)} or {last}?" if others else f"Did you mean {last}?"


def _likeness(route: Route, parts: list[str]) -> float:
    """The share of characters in common, segment by segment. A parameter says nothing."""
    alike = total = 0
    for part, segment in zip_longest(parts, route.file.url_segments):
        if isinstance(segment, CatchAll) and part:
            break
        text = None if segment is None else _text(segment)
        if text and part:
            alike += 2 * _count_alike(part, text)
            total += len(part) + len(text)
        elif text is None or part is None:
            total += ODD
    return alike / total if total else 0.0


def _text(segment: Segment) -> str:
    """What is literal in a segment."""
    if isinstance(segment, Static):
        return segment.text.lower()
    pieces = segment.pieces if isinstance(segment, Dynamic) else ()
    return "".join(piece for piece in pieces if isinstance(piece, str)).lower()


@lru_cache(4096)
def _count_alike(asked: str, meant: str) -> int:
    blocks = SequenceMatcher(None, asked, meant, autojunk=False).get_matching_blocks()
    return sum(block.size for block in blocks)
