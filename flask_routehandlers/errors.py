"""What can be wrong with a tree, and how it is said."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Literal


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong with a tree, or that may be.

    :param reason: what is wrong, as sentences.
    :param hint: what to do, as sentences.
    :param files: the files or folders concerned, relative to the root, with ``/`` between parts.
    :param severity: ``error`` for what keeps the tree from being served, else ``warning``.
    """

    reason: str
    hint: str
    files: tuple[str, ...] = ()
    severity: Literal["error", "warning"] = "error"

    def at(self, *files: str) -> Problem:
        """Return the same problem of other files."""
        return replace(self, files=files)

    def as_warning(self) -> Problem:
        """Return the same problem as a warning."""
        return replace(self, severity="warning")

    def __str__(self) -> str:
        lines = [*self.files, f"  {self.reason}", f"  {self.hint}"]
        return "\n".join(lines)


class RouteHandlersError(Exception):
    """The base of every error that this package raises."""


class ProblemError(RouteHandlersError):
    """The base of errors about one thing in a file that the raiser does not know.

    :param reason: what is wrong.
    :param hint: what to do.
    """

    def __init__(self, reason: str, hint: str) -> None:
        self.problem = Problem(reason, hint)
        super().__init__(f"{reason} {hint}")


class RouteTreeError(RouteHandlersError):
    """A tree cannot be served. It carries every problem found, not only the first.

    :param root: the absolute path of the root.
    :param problems: at least one :class:`Problem`.
    """

    def __init__(self, root: str, problems: Iterable[Problem]) -> None:
        self.root = root
        self.problems = tuple(problems)
        count = len(self.problems)
        title = f"{count} problem{'s' if count > 1 else ''} in {root}"
        super().__init__("\n\n".join([f"{title}:", *map(str, self.problems)]))


class RouteImportError(RouteHandlersError):
    """A file of the tree could not be imported. The original exception is its ``__cause__``.

    :param file: the file, relative to the root.
    :param error: what the file raised while it was imported.
    :param path: the absolute path of the file.
    """

    def __init__(self, file: str, error: BaseException, path: str) -> None:
        self.file = file
        self.where = _where(file, error, path)
        try:
            text = str(error)
        except Exception:
            text = ""
        what = f"{type(error).__name__}: {text}" if text else type(error).__name__
        super().__init__(f"{file} could not be imported: {what}")


def skip_frames(
    raised: TracebackType | None, is_skipped: Callable[[str], bool]
) -> TracebackType | None:
    """What is left of a traceback behind its first frames.

    :param is_skipped: says of the module of a frame whether it is left out.
    """
    while raised and is_skipped(raised.tb_frame.f_globals.get("__name__", "")):
        raised = raised.tb_next
    return raised


def _where(file: str, error: BaseException, path: str) -> str:
    """The line of a file that raised, and where it led to if that is another file."""
    raised = [(f.filename, f.lineno) for f in traceback.extract_tb(error.__traceback__)]
    if isinstance(error, SyntaxError):
        raised.append((error.filename or path, error.lineno))
    lines = [line for filename, line in raised if filename == path and line]
    where = f"{file}, line {lines[-1]}" if lines else file
    last, line = raised[-1] if raised else (path, None)
    return where if last == path or not lines else f"{where}, which led to {last}, line {line}"


class StaticRequestError(RouteHandlersError):
    """A static handler read what belongs to one client, and would answer every client with it.

    It is no AttributeError: ``getattr`` with a default and ``hasattr`` do not hide it.

    :param file: the route file, relative to the root.
    :param what: what was read: ``request.args``, ``session``, ``g.user``.
    """

    def __init__(self, file: str, what: str) -> None:
        self.file = file
        self.what = what
        super().__init__(
            f"The static GET of {file} used {what}, which belongs to one client: its response is "
            "stored for all. Move what it needs into the path, or write "
            'dynamic = "force-dynamic" to run it for each request, or dynamic = "force-static" '
            "to find it empty."
        )


class StoreError(RouteHandlersError):
    """A shared store cannot be reached, or did not answer in time."""


class RevalidationError(RouteHandlersError, ValueError):
    """What is to be revalidated is nothing that the app stores."""


class RouteHandlersWarning(UserWarning):
    """Something in a tree is probably not what its author meant."""
