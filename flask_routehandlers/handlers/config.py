"""Read the route config of a route file: names of its module that say how GET is served.

A value is parsed by a function of :data:`_PARSERS`, which returns it or raises. Names that look
like config and are none are warnings: a file may use them for something else, but mostly they are
a typo, or come from Next.js.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterator, Mapping
from difflib import get_close_matches
from functools import lru_cache
from types import ModuleType
from typing import Any, NamedTuple

from ..errors import Problem

#: The values of ``dynamic``.
DYNAMIC = ("auto", "force-dynamic", "error", "force-static")

#: Those that make a route static whatever ``revalidate`` says.
STATIC = ("error", "force-static")

#: Names that have a meaning for a static GET only.
_STATIC_ONLY = ("dynamic_params", "generate_static_params", "cache_tags")

#: Config names of Next.js, each with our name, or ``None`` for what is not supported.
_NEXTJS_NAMES = {
    "dynamicParams": "dynamic_params",
    "generateStaticParams": "generate_static_params",
    "cacheTags": "cache_tags",
    "fetchCache": None,
    "maxDuration": None,
    "preferredRegion": None,
    "runtime": None,
}
_NEXTJS_RUNTIMES = ("edge", "experimental-edge", "nodejs")

#: How similar a name has to be to a config name, from 0 to 1, to pass for a typo of it, and the
#: length below which none is.
_SIMILAR, _SHORTEST = 0.9, 6

#: Names whose values can be functions.
_CAN_BE_FUNCTIONS = ("generate_static_params", "cache_tags")


class RouteConfig(NamedTuple):
    """The route config of a file, checked.

    :param dynamic: one of :data:`DYNAMIC`.
    :param revalidate: seconds until a response is stale; ``False``: fresh until revalidated;
        ``None`` when the file does not say.
    :param dynamic_params: whether parameters that are not listed are served.
    :param generate_static_params: lists parameters.
    :param cache_tags: tags, or a function of path parameters that returns them.
    """

    dynamic: str = "auto"
    revalidate: int | None = None
    dynamic_params: bool = True
    generate_static_params: Callable[..., Any] | None = None
    cache_tags: tuple[str, ...] | Callable[..., Any] = ()

    @property
    def is_static(self) -> bool:
        """``True`` if GET is answered from the cache."""
        if self.revalidate is None or self.dynamic == "force-dynamic":
            return self.dynamic in STATIC
        return self.revalidate is False or self.revalidate > 0

    @property
    def lifetime(self) -> int | None:
        """Seconds until a response is stale, or ``None``: fresh until revalidated."""
        return self.revalidate or None

    @property
    def is_strict(self) -> bool:
        """``True`` if reading what belongs to a client is an error; otherwise it is empty."""
        return self.dynamic != "force-static"


#: The config of a file that has none, as most files.
_NO_CONFIG = RouteConfig()


class _InvalidValueError(Exception):
    """A value that a config name cannot have.

    :param reason: what it is, after "dynamic is".
    :param hint: what to do.
    """

    def __init__(self, reason: str, hint: str) -> None:
        self.reason = reason
        self.hint = hint
        super().__init__(f"{reason} {hint}")


def read_config(module: ModuleType) -> tuple[RouteConfig, dict[str, Problem]]:
    """Return the route config of a file, and the problems of its values by name.

    ``revalidate = 60`` is ``RouteConfig(revalidate=60)``. Values that have a problem are left out
    of the config. The problems name no file.
    """
    names = vars(module)
    if _PARSERS.keys().isdisjoint(names):
        return _NO_CONFIG, {}
    values: dict[str, Any] = {}
    problems = {}
    for name, parse in _PARSERS.items():
        if name in names:
            try:
                values[name] = parse(names[name])
            except _InvalidValueError as error:
                problems[name] = Problem(f"{name} is {error.reason}.", error.hint)
    return RouteConfig(**values), problems


def find_config_problems(
    file: str, module: ModuleType, methods: Collection[str], parameters: Collection[str]
) -> Iterator[Problem]:
    """Check the route config of a file.

    :param file: the file, relative to the root.
    :param methods: the methods that the file handles.
    :param parameters: the names of its path parameters.
    """
    config, invalid = read_config(module)
    if config is _NO_CONFIG:
        return
    problems = list(invalid.values())
    if invalid.keys().isdisjoint(("dynamic", "revalidate")):
        problems += _find_contradictions(config, vars(module), methods, parameters)
    for problem in problems:
        yield problem.at(file)


def find_config_warnings(file: str, module: ModuleType) -> Iterator[Problem]:
    """Find names in a file that look like route config and have no effect."""
    names = vars(module)
    for name, value in names.items():
        if name in _NEXTJS_NAMES:
            if name == "runtime" and value not in _NEXTJS_RUNTIMES:
                continue
            hint = "It is not supported here: remove it."
            if _NEXTJS_NAMES[name]:
                hint = f"Write {_NEXTJS_NAMES[name]}."
            yield Problem(f"{name} is a name of Next.js and has no effect.", hint, (file,))
            continue
        meant = _find_similar(name)
        if meant is None or meant in names:
            continue
        if meant in _CAN_BE_FUNCTIONS or not callable(value):
            yield Problem(f"{name} has no effect.", f"Did you mean {meant}?", (file,))
    for name in names.get("__annotations__", ()):
        if name in _PARSERS and name not in names:
            yield Problem(
                f"{name} is annotated without a value.",
                f"Write {name} = ..., not {name}: ...",
                (file,),
            )


@lru_cache(4096)  # the files of a tree have many names in common
def _find_similar(name: str) -> str | None:
    """Return the config name that a name is probably a typo of."""
    if len(name) < _SHORTEST or name[0] == "_" or name in _PARSERS:
        return None
    close: list[str] = get_close_matches(name.lower(), _PARSERS, n=1, cutoff=_SIMILAR)
    return close[0] if close else None


def _find_contradictions(
    config: RouteConfig,
    names: Mapping[str, object],
    methods: Collection[str],
    parameters: Collection[str],
) -> Iterator[Problem]:
    """Find values that are right alone and make no sense together; at most one is reported."""
    is_zero = config.revalidate == 0 and config.revalidate is not False
    if config.dynamic in STATIC and is_zero:
        yield _contradiction(config, "stored")
    elif config.dynamic == "force-dynamic" and not is_zero and config.revalidate is not None:
        yield _contradiction(config, "never stored")
    elif not config.is_static:
        for name in _STATIC_ONLY:
            if name in names:
                yield Problem(
                    f"The file defines {name}, but its GET is not static.",
                    "Make it static with revalidate = 60 (seconds) or revalidate = False (until "
                    f"revalidated), or remove {name}.",
                )
    elif "GET" not in methods:
        yield Problem(
            "The file configures how its GET is stored, but it has no GET. "
            "Other methods are never stored.",
            "Define GET, or remove dynamic and revalidate.",
        )
    elif config.generate_static_params and not parameters:
        yield Problem(
            "generate_static_params has nothing to list: the path has no parameter.",
            "Remove it: without parameters there is one URL.",
        )
    elif not config.dynamic_params and not config.generate_static_params:
        yield Problem(
            "dynamic_params is False, but there is no generate_static_params, "
            "so every URL of the file would be 404.",
            "Define generate_static_params(), which returns a list of dicts, or remove "
            "dynamic_params.",
        )


def _contradiction(config: RouteConfig, outcome: str) -> Problem:
    """Return the problem of ``dynamic`` and ``revalidate`` that require opposite things.

    :param outcome: what ``dynamic`` does with a response.
    """
    return Problem(
        f"dynamic = {config.dynamic!r} and revalidate = {config.revalidate!r} contradict each "
        f"other: according to dynamic, a response is {outcome}.",
        "Remove one of them.",
    )


def _parse_dynamic(value: object) -> str:
    if isinstance(value, str) and value in DYNAMIC:
        return value
    hint = f"It must be one of {', '.join(map(repr, DYNAMIC))}."
    close = get_close_matches(str(value).replace("_", "-"), DYNAMIC, n=1, cutoff=0.7)
    if close:
        hint = f"Did you mean {close[0]!r}? {hint}"
    raise _InvalidValueError(repr(value), hint)


def _parse_revalidate(value: object) -> int:
    """Return seconds or ``False``. ``True`` is refused although it is an ``int`` to Python."""
    if value is False or (type(value) is int and value >= 0):
        return value
    raise _InvalidValueError(
        _spell(value),
        "Write whole seconds, revalidate = 60, or revalidate = False: until revalidated. "
        "Without it, or with 0, the handler runs for each request.",
    )


def _parse_dynamic_params(value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise _InvalidValueError(_spell(value), "Write True or False.")


def _parse_static_params(value: object) -> Callable[..., Any]:
    """Return a function that can be called without arguments, as far as its signature shows."""
    hint = "Write def generate_static_params(), which returns a list of dicts."
    if not callable(value) or inspect.isclass(value) or inspect.isasyncgenfunction(value):
        raise _InvalidValueError(_spell(value), hint)
    try:
        inspect.signature(value).bind()
    except TypeError:
        reason = "a function with required arguments, but it is called without any"
        raise _InvalidValueError(reason, hint) from None
    except ValueError:  # some functions written in C hide their signature
        pass
    return value


def _parse_cache_tags(value: object) -> tuple[str, ...] | Callable[..., Any]:
    """Return tags, or a function that returns them for the parameters of a path."""
    if callable(value) and not inspect.isclass(value):
        return value
    try:
        return check_tags(value)
    except TypeError:
        hint = "Write a list of strings, or a function of path parameters that returns one."
        if isinstance(value, str):
            hint = f"Write a list: cache_tags = [{value!r}]."
        raise _InvalidValueError(_spell(value), hint) from None


def _spell(value: object) -> str:
    """Return a value for a message: functions have no useful ``repr``."""
    if callable(value):
        return f"of the type {type(value).__name__}"
    return repr(value)


def check_tags(value: object) -> tuple[str, ...]:
    """Return tags as a tuple.

    :param value: the tags of a route config, or the result of its function.
    :raises TypeError: for anything but a list or tuple of strings that are not empty.
    """
    if not isinstance(value, (list, tuple)):
        raise TypeError(f"{value!r} is not a list")
    for tag in value:
        if not isinstance(tag, str) or not tag:
            raise TypeError(f"{tag!r} is not a tag")
    return tuple(value)


#: For each config name the function that checks its value.
_PARSERS: dict[str, Callable[[object], Any]] = {
    "dynamic": _parse_dynamic,
    "revalidate": _parse_revalidate,
    "dynamic_params": _parse_dynamic_params,
    "generate_static_params": _parse_static_params,
    "cache_tags": _parse_cache_tags,
}
