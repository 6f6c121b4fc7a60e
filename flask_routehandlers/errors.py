"""Problems of a tree, and the exceptions of the package.

A :class:`Problem` is the one form of a finding: the start raises several in a
:class:`RouteTreeError`, ``check`` lists them, and warnings show them. Code that finds one and does
not know the file raises a :class:`ProblemError`, which its caller completes. No code looks at the
words of a message.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Literal

#: The folder of this package, with a separator at the end.
_PACKAGE = os.path.join(os.path.dirname(__file__), "")


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in a tree that is wrong, or that is probably not intended.

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
        """Return the same problem for other files."""
        return replace(self, files=files)

    def as_warning(self) -> Problem:
        """Return the same problem as a warning."""
        return replace(self, severity="warning")

    def __str__(self) -> str:
        return printable("\n".join([*self.files, f"  {self.reason}", f"  {self.hint}"]))


class RouteHandlersWarning(UserWarning):
    """Something in a tree is probably not what its author intended."""


class RouteHandlersError(Exception):
    """The base class of every error that this package raises."""


class ProblemError(RouteHandlersError):
    """The base class of errors whose raiser does not know the file.

    Whoever catches one knows it: ``error.problem.at(file)``.

    :param reason: what is wrong.
    :param hint: what to do.
    """

    def __init__(self, reason: str, hint: str) -> None:
        self.problem = Problem(reason, hint)
        super().__init__(f"{reason} {hint}")


class RouteTreeError(RouteHandlersError):
    """A tree cannot be served. The error lists every problem, not only the first.

    :param root: the absolute path of the root.
    :param problems: at least one :class:`Problem`.
    """

    def __init__(self, root: str, problems: Iterable[Problem]) -> None:
        self.root = root
        self.problems = tuple(problems)
        count = len(self.problems)
        noun = "problem" if count == 1 else "problems"
        title = printable(f"{count} {noun} in {root}:")
        super().__init__("\n\n".join([title, *(_show(p, root) for p in self.problems)]))


def _show(problem: Problem, root: str) -> str:
    """Return a problem as a string, with its files as they can be opened."""
    return str(problem.at(*(shown_path(os.path.join(root, file)) for file in problem.files)))


class RouteImportError(RouteHandlersError):
    """A file of the tree could not be imported. The original exception is its ``__cause__``.

    :param file: the file, relative to the root.
    :param error: the exception that the import raised.
    :param path: the absolute path of the file.
    """

    def __init__(self, file: str, error: BaseException, path: str) -> None:
        self.file = file
        self.where = _locate(error, path)
        super().__init__(f"{file} could not be imported: {describe_exception(error)}")


def describe_exception(error: BaseException) -> str:
    """Return the type of an exception and its message, if it has one."""
    name = type(error).__name__
    try:
        message = str(error)
    except Exception:  # a broken __str__ must not hide which exception it was
        message = ""
    return f"{name}: {message}" if message else name


#: The requirements of the extras of this package, as in ``pyproject.toml``.
EXTRAS = {
    "async": "flask[async]",
    "msgspec": "msgspec>=0.19",
    "mypy": "mypy>=1.11",
    "openapi": "flask-swagger-ui",
    "pydantic": "pydantic>=2.11",
    "redis": "redis>=5",
}


def install_hint(extra: str) -> str:
    """Return the hint for a package that is not installed.

    It names the requirement, since this package and its extras are not on an index yet.

    :param extra: the extra of this package that installs it.
    """
    return f'Install it: pip install "{EXTRAS[extra]}".'


def problems_of(error: RouteHandlersError) -> tuple[Problem, ...]:
    """Return the problems that made a file unusable.

    :param error: a :class:`RouteTreeError` or a :class:`RouteImportError`.
    """
    if isinstance(error, RouteTreeError):
        return error.problems
    assert isinstance(error, RouteImportError)
    reason = f"{str(error).rstrip('.')}."
    return (Problem(reason, f"Look at {error.where}.", (error.file,)),)


def shown_path(path: str) -> str:
    """Return a path as it can be opened: relative to the working directory if it is below it.

    :param path: an absolute path.
    """
    return path.removeprefix(os.path.join(os.getcwd(), ""))


def printable(text: str) -> str:
    """Return a string for a terminal: control and other invisible characters escaped."""
    return "".join(
        character if character.isprintable() or character == "\n" else ascii(character)[1:-1]
        for character in text
    )


def skip_frames(
    frames: TracebackType | None, is_skipped: Callable[[str], bool]
) -> TracebackType | None:
    """Return a traceback without its first frames.

    :param is_skipped: called with the module name of each frame, from the outside in.
    """
    while frames and is_skipped(frames.tb_frame.f_globals.get("__name__", "")):
        frames = frames.tb_next
    return frames


def _locate(error: BaseException, path: str) -> str:
    """Return the line of a file that failed, and where it led if that is another file.

    Lines of this package are left out: it raises for what another line did.
    """
    file = shown_path(path)
    raised = [
        (frame.filename, frame.lineno)
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith(_PACKAGE)
    ]
    if isinstance(error, SyntaxError):
        raised.append((error.filename or path, error.lineno))
    lines = [line for filename, line in raised if filename == path and line]
    if not lines:
        return file
    where = f"{file}, line {lines[-1]}"
    last_file, last_line = raised[-1]
    if last_file == path:
        return where
    return f"{where}, which led to {shown_path(last_file)}, line {last_line}"


class StaticRequestError(RouteHandlersError):
    """A static handler read something that belongs to one client.

    Its response is stored for all clients, so the value would leak. This is not an
    AttributeError: ``getattr`` with a default and ``hasattr`` do not hide it.

    :param file: the route file, relative to the root.
    :param what: what was read: ``request.args``, ``session``, ``g.user``.
    """

    def __init__(self, file: str, what: str) -> None:
        self.file = file
        self.what = what
        super().__init__(
            f"The static GET of {file} used {what}, which belongs to one client, while its "
            "response is stored for all. Move what it needs into the path, or write "
            'dynamic = "force-dynamic" to run it for each request, or dynamic = "force-static" '
            "to find it empty."
        )


class StoreError(RouteHandlersError):
    """A shared store cannot be reached, or did not answer in time."""


class RevalidationError(RouteHandlersError, ValueError):
    """The path or tag to revalidate is not one that the app stores."""
