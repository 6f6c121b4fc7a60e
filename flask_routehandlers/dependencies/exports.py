"""Read the dependencies of a ``dependencies.py`` from its module.

Which names these are has to be obvious to a reader of the file, since each of them can be an
argument of a function elsewhere: the public functions that are defined in it, or exactly the names
in ``__all__``. A helper begins with an underscore.
"""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Iterator, Mapping
from types import FunctionType, ModuleType
from typing import Any

from ..errors import Problem


def read_exports(module: ModuleType) -> dict[str, Any]:
    """Return what a file offers as dependencies, by name.

    These are functions, unless :func:`find_export_problems` reports them.
    """
    names = vars(module)
    listed: Any = names.get("__all__")
    if _is_list_of_names(listed):
        return {name: names.get(name) for name in listed}
    return {
        name: value
        for name, value in names.items()
        if not name.startswith("_") and _is_defined_in(value, module)
    }


def find_export_problems(
    file: str, module: ModuleType, exports: Mapping[str, Any]
) -> Iterator[Problem]:
    """Check the exports of a file.

    :param file: the file, relative to the root.
    """
    listed = vars(module).get("__all__", [])
    if not _is_list_of_names(listed):
        yield Problem(
            f"__all__ is {listed!r}.",
            'Write a list of names, for example __all__ = ["db"].',
            (file,),
        )
        return
    for name, value in exports.items():
        problem = _why_not_dependency(name, value)
        if problem is not None:
            yield problem.at(file)
    if not exports:
        yield Problem(
            "The file has no dependency.",
            "Define a function, for example def db(), or list imported ones in __all__.",
            (file,),
        )


def find_imported(module: ModuleType, exports: Mapping[str, Any]) -> set[str]:
    """Return the names of functions that a file imports, and that it does not offer."""
    functions = {name for name, value in vars(module).items() if isinstance(value, FunctionType)}
    return functions - exports.keys()


def _is_list_of_names(value: Any) -> bool:
    """Return whether a value can be ``__all__``."""
    return isinstance(value, (list, tuple)) and all(isinstance(name, str) for name in value)


def _is_defined_in(value: object, module: ModuleType) -> bool:
    """Return whether a value is a function of the file, decorated or not."""
    if not callable(value):
        return False
    function = inspect.unwrap(value)
    return isinstance(function, FunctionType) and function.__module__ == module.__name__


def _why_not_dependency(name: str, value: object) -> Problem | None:
    """Return the problem of a name that cannot be a dependency, or ``None`` for one that can."""
    if value is None:
        return Problem(f"__all__ lists {name}, which the file lacks.", "Define it, or remove it.")
    if not inspect.isroutine(value):
        kind = f"of the type {type(value).__name__}"
        if inspect.isclass(value):
            kind = "a class"
        return Problem(
            f"{name} is {kind}, but a dependency is a function.",
            f"Write def {name}(), which returns it.",
        )
    if _is_context_manager(value):
        decorator = "contextmanager"
        if inspect.isasyncgenfunction(inspect.unwrap(value)):
            decorator = "asynccontextmanager"
        return Problem(
            f"{name} is a generator inside a context manager.",
            f"Remove @{decorator}: a dependency that yields is cleaned up by itself.",
        )
    return None


def _is_context_manager(value: object) -> bool:
    """Return whether ``contextlib`` made a function of a generator."""
    code = getattr(value, "__code__", None)
    is_of_contextlib = code is not None and code.co_filename == contextlib.__file__
    return is_of_contextlib and hasattr(value, "__wrapped__")
