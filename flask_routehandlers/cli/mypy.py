"""Check the types of trees with mypy.

mypy takes the names of modules from paths, and stops at folders that are not identifiers: every
``route.py`` would be the module ``route``. Here mypy gets the names that Python imports by.
"""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence

from mypy.fscache import FileSystemCache
from mypy.main import process_options, run_build
from mypy.modulefinder import BuildSource, matches_exclude
from mypy.options import Options
from mypy.util import FancyFormatter, count_stats

from ..errors import RouteTreeError, shown_path
from ..importing.finders import module_part
from ..importing.names import name_root

#: Options of mypy whose values are names of modules, although a folder may have that name.
_BEFORE_NAMES = ("-m", "--module", "-p", "--package")


def typecheck(roots: Sequence[str], arguments: Sequence[str]) -> int:
    """Run mypy on trees, and on what its arguments and its configuration name in addition.

    Nothing of the trees is executed. mypy prints what it finds.

    :param roots: the absolute paths of the roots.
    :param arguments: options and files for mypy.
    :returns: mypy's exit status: 0, 1 for errors in types, 2 if it could not go on.
    :raises RouteTreeError: if a root can have no module name.
    :raises SystemExit: by mypy, for arguments that it refuses.
    """
    start = time.time()
    cache = FileSystemCache()
    # By itself mypy would give the modules of the trees wrong names, or refuse some folders.
    trees = [f"^{re.escape(shown_path(root).replace(os.sep, '/'))}/" for root in roots]
    others, options = process_options(
        [*(f"--exclude={tree}" for tree in trees), *_without_trees(arguments, roots)],
        require_targets=False,
        fscache=cache,
        program="flask route-handlers typecheck",
    )
    if getattr(options, "num_workers", 0):
        options.num_workers = 0  # the workers would look for the modules themselves

    excluded = [pattern for pattern in options.exclude if pattern not in trees]

    def is_kept(path: str) -> bool:
        return not matches_exclude(path, excluded, cache, False)

    sources = [source for root in roots for source in _sources(root, is_kept)]
    names = {source.module for source in sources}
    sources += [s for s in others if s.module not in names and not _is_below(s.path, roots)]
    _, messages, is_blocked = run_build(sources, options, cache, start, sys.stdout, sys.stderr)
    errors, _, files = count_stats(messages)
    if options.error_summary:
        print(_summary(options, errors, files, len(sources), is_blocked))
    if is_blocked:
        return 2
    return int(errors > 0)


def _without_trees(arguments: Sequence[str], roots: Sequence[str]) -> Iterator[str]:
    """Yield the arguments of mypy but the files and folders of the trees."""
    before = ""
    for argument in arguments:
        is_path = before not in _BEFORE_NAMES and os.path.exists(argument)
        if not (is_path and _is_below(argument, roots)):
            yield argument
        before = argument


def _sources(root: str, is_kept: Callable[[str], bool]) -> Iterator[BuildSource]:
    """Yield the files of a tree as mypy takes them.

    :raises RouteTreeError: if the root can have no module name.
    """
    base = _import_base(root)
    for entry in (os.getcwd(), base):
        if entry not in sys.path:
            sys.path.insert(0, entry)
    name = name_root(root, "", os.getcwd())
    if not isinstance(name, str):
        raise RouteTreeError(root, [name])
    for path, module in python_files(root, name, is_kept):
        yield BuildSource(path, module, None, base)


def python_files(
    root: str, root_name: str, is_kept: Callable[[str], bool] = lambda path: True
) -> Iterator[tuple[str, str]]:
    """Yield every Python file below a root, also in private folders, with its module name.

    :param is_kept: returns whether a file or folder is checked.
    :returns: paths as users see them: relative to the working directory for what is below it.
    """
    for folder, below, files in os.walk(root):
        shown = shown_path(folder)
        below[:] = sorted(
            name
            for name in below
            if (name == ".well-known" or not name.startswith((".", "__pycache__")))
            and is_kept(os.path.join(shown, name))
        )
        parts = [root_name]
        if folder != root:
            parts += map(module_part, os.path.relpath(folder, root).split(os.sep))
        for file in sorted(files):
            stem, extension = os.path.splitext(file)
            path = os.path.join(shown, file)
            if extension == ".py" and is_kept(path):
                yield path, ".".join([*parts, stem]).removesuffix(".__init__")


def _import_base(root: str) -> str:
    """Return the folder above the package of a root, which ``flask --app`` would import from.

    Outside of a package it is the working directory.
    """
    folder = root
    while not os.path.isfile(os.path.join(folder, "__init__.py")):
        above = os.path.dirname(folder)
        if above == folder:
            return os.getcwd()
        folder = above
    while os.path.isfile(os.path.join(folder, "__init__.py")):
        folder = os.path.dirname(folder)
    return folder


def _is_below(path: str | None, roots: Sequence[str]) -> bool:
    """Return whether a path is in one of some folders, which are absolute."""
    if path is None:
        return False
    absolute = os.path.join(os.path.abspath(path), "")
    return any(absolute.startswith(os.path.join(root, "")) for root in roots)


def _summary(options: Options, errors: int, files: int, checked: int, is_blocked: bool) -> str:
    """Return the last line of output, as mypy itself writes it."""
    formatter = FancyFormatter(sys.stdout, sys.stderr, options.hide_error_codes)
    if not errors:
        return formatter.format_success(checked, options.color_output)
    return formatter.format_error(
        errors, files, checked, blockers=is_blocked, use_color=options.color_output
    )
