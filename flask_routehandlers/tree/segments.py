"""The meaning of a folder name, as data: :mod:`~flask_routehandlers.tree.grammar` makes it."""

from __future__ import annotations

from typing import NamedTuple


class Parameter(NamedTuple):
    """A parameter between brackets: ``id`` or ``id=int``.

    :param name: its name, a Python identifier.
    :param converter: the name of its converter, or ``None``.
    """

    name: str
    converter: str | None = None


class Static(NamedTuple):
    """A literal segment: ``users``, ``sitemap.xml``.

    :param folder: the folder name.
    :param text: the segment of the URL, decoded.
    """

    folder: str
    text: str

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """It has none."""
        return ()


class Dynamic(NamedTuple):
    """A segment with parameters: ``[slug]``, ``[id=int]``, ``report-[year=int].csv``.

    :param folder: the folder name.
    :param pieces: literal text and parameters in the order of the folder name.
    """

    folder: str
    pieces: tuple[str | Parameter, ...]

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The parameters in the order of the folder name."""
        return tuple(piece for piece in self.pieces if isinstance(piece, Parameter))


class CatchAll(NamedTuple):
    """``[...name]`` (one segment or more) or ``[[...name]]`` (none or more).

    :param folder: the folder name.
    :param name: the name of the parameter.
    :param optional: whether it also matches no segment.
    """

    folder: str
    name: str
    optional: bool

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Its only parameter."""
        return (Parameter(self.name),)


class Group(NamedTuple):
    """``(name)``: a folder that is not part of the URL.

    :param folder: the folder name.
    """

    folder: str

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """It has none."""
        return ()


Segment = Static | Dynamic | CatchAll | Group


def is_walked(folder: str) -> bool:
    """Return whether a folder is neither private (``_lib``) nor hidden (``.git``)."""
    return folder == ".well-known" or folder[0] not in "_."
