"""What a folder name means: data only, made by :mod:`~flask_routehandlers.tree.grammar`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Parameter:
    """``id`` or ``id=int`` between brackets; ``converter`` is ``None`` when none is named."""

    name: str
    converter: str | None = None


@dataclass(frozen=True, slots=True)
class Static:
    """A literal segment: ``users``, ``sitemap.xml``. ``text`` is what the URL shows, decoded."""

    folder: str
    text: str
    parameters: ClassVar[tuple[Parameter, ...]] = ()


@dataclass(frozen=True, slots=True)
class Dynamic:
    """A segment with parameters: ``[slug]``, ``[id=int]``, ``report-[year=int].csv``.

    ``pieces`` holds literal text and :class:`Parameter` in the order of the folder name.
    """

    folder: str
    pieces: tuple[str | Parameter, ...]

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        return tuple(piece for piece in self.pieces if isinstance(piece, Parameter))


@dataclass(frozen=True, slots=True)
class CatchAll:
    """``[...name]`` (one segment or more) or ``[[...name]]`` (none or more)."""

    folder: str
    name: str
    optional: bool

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        return (Parameter(self.name),)


@dataclass(frozen=True, slots=True)
class Group:
    """``(name)``: a folder that is left out of the URL."""

    folder: str
    parameters: ClassVar[tuple[Parameter, ...]] = ()


Segment = Static | Dynamic | CatchAll | Group


def is_walked(folder: str) -> bool:
    """Whether a folder takes part in the tree: not private (``_lib``), not hidden (``.git``)."""
    return folder == ".well-known" or folder[0] not in "_."
