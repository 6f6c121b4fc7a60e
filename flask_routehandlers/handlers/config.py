"""Read the route config of a route file: names of its module that say how GET is served."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from types import ModuleType
from typing import Any

from ..errors import Problem

#: What ``dynamic`` can be.
DYNAMIC = ("auto", "force-dynamic", "error", "force-static")

#: Those that make a route static whatever ``revalidate`` says.
STATIC = ("error", "force-static")

#: Names that mean something for a static GET only.
_STATIC_ONLY = ("dynamic_params", "generate_static_params", "cache_tags")

#: Names of Next.js: a name of ours, or why there is none.
_OF_NEXTJS = {
    "dynamicParams": "dynamic_params",
    "generateStaticParams": "generate_static_params",
    "cacheTags": "cache_tags",
    "fetchCache": None,
    "maxDuration": None,
    "preferredRegion": None,
    "runtime": None,
}
#: What is likely meant to be a name of ours.
_NEARLY = {
    "REVALIDATE": "revalidate",
    "CACHE_TAGS": "cache_tags",
    "cache_tag": "cache_tags",
    "DYNAMIC_PARAMS": "dynamic_params",
    "dynamic_param": "dynamic_params",
    "generate_static_param": "generate_static_params",
}
_RUNTIMES = ("edge", "experimental-edge", "nodejs")


@dataclass(frozen=True, slots=True)
class RouteConfig:
    """The route config of a file, checked.

    :param dynamic: one of :data:`DYNAMIC`.
    :param revalidate: seconds for which a response is fresh; ``False``: until told; ``None`` when
        the file does not say.
    :param dynamic_params: whether parameters that are not listed are served.
    :param generate_static_params: lists parameters.
    :param cache_tags: tags, or a function of path parameters that gives them.
    """

    dynamic: str = "auto"
    revalidate: int | None = None
    dynamic_params: bool = True
    generate_static_params: Callable[..., Any] | None = None
    cache_tags: tuple[str, ...] | Callable[..., Any] = ()

    @property
    def is_static(self) -> bool:
        """Whether GET is answered from the cache."""
        if self.revalidate is None or self.dynamic == "force-dynamic":
            return self.dynamic in STATIC
        return self.revalidate is False or self.revalidate > 0

    @property
    def lifetime(self) -> int | None:
        """Seconds until a response is stale, or ``None``: until told."""
        return self.revalidate or None

    @property
    def is_strict(self) -> bool:
        """Whether it is an error to read what belongs to a client; otherwise it is empty."""
        return self.dynamic != "force-static"


def has_config(module: ModuleType) -> bool:
    """Whether a file has any of the names that are looked at here."""
    names = vars(module)
    annotated = names.get("__annotations__")
    return not names.keys().isdisjoint(_NAMES) or bool(
        annotated and not annotated.keys().isdisjoint(_CHECKS)
    )


def read_config(module: ModuleType) -> RouteConfig:
    """The route config of a file.

    Values that :func:`find_config_problems` complains about are left out.
    """
    names = vars(module)
    found = {
        name: names[name]
        for name, refuse in _CHECKS.items()
        if name in names and refuse(names[name]) is None
    }
    if isinstance(found.get("cache_tags"), list):
        found["cache_tags"] = tuple(found["cache_tags"])
    return RouteConfig(**found)


def find_config_problems(
    file: str, module: ModuleType, methods: Collection[str], parameters: Collection[str]
) -> Iterator[Problem]:
    """Check the route config of a file.

    :param file: the file, relative to the root.
    :param methods: those that the file handles.
    :param parameters: the names of its path parameters.
    """
    names = vars(module)
    refused = {
        name: refusal
        for name, refuse in _CHECKS.items()
        if name in names and (refusal := refuse(names[name]))
    }
    for name, (reason, hint) in refused.items():
        yield Problem(f"{name} is {reason}.", hint, (file,))
    if refused.keys().isdisjoint(("dynamic", "revalidate")):
        config = read_config(module)
        given = [name for name in _STATIC_ONLY if name in names]
        for reason, hint in _find_contradictions(config, given, methods, parameters):
            yield Problem(reason, hint, (file,))


def find_config_hints(file: str, module: ModuleType) -> Iterator[Problem]:
    """What a file says in the words of Next.js, or nearly in ours, which nothing reads."""
    names = vars(module)
    for name, meant in _NEARLY.items():
        if name in names and meant not in names:
            yield Problem(
                f"{file} defines {name}, which nothing reads.", f"Did you mean {meant}?", (file,)
            )
    for name in names.get("__annotations__", ()):
        if name in _CHECKS and name not in names:
            yield Problem(
                f"{file} gives {name} a type and no value.",
                f"Write {name} = ..., not {name}: ...",
                (file,),
            )
    for name, ours in _OF_NEXTJS.items():
        if name not in names or (name == "runtime" and names[name] not in _RUNTIMES):
            continue
        hint = f"Write {ours}." if ours else "There is no such thing here: remove it."
        reason = f"{file} defines {name}, a name of Next.js that nothing reads."
        yield Problem(reason, hint, (file,))


def _find_contradictions(
    config: RouteConfig,
    given: Collection[str],
    methods: Collection[str],
    parameters: Collection[str],
) -> Iterator[tuple[str, str]]:
    is_zero = config.revalidate == 0 and config.revalidate is not False
    if config.dynamic in STATIC and is_zero:
        yield _contradict(config, "stored")
    elif config.dynamic == "force-dynamic" and not is_zero and config.revalidate is not None:
        yield _contradict(config, "never stored")
    elif not config.is_static:
        for name in given:
            yield (
                f"The file defines {name}, and its GET is not static.",
                "Make it static with revalidate = 60 (seconds) or revalidate = False (until "
                f"told), or remove {name}.",
            )
    elif "GET" not in methods:
        yield (
            "The file says how its GET is stored, and it has no GET: no other method is stored.",
            "Define GET, or remove dynamic and revalidate.",
        )
    elif config.generate_static_params and not parameters:
        yield (
            "generate_static_params has nothing to list: the path has no parameter.",
            "Remove it: without parameters there is one URL.",
        )
    elif not config.dynamic_params and not config.generate_static_params:
        yield (
            "dynamic_params is False and there is no generate_static_params, "
            "so every URL of the file would be 404.",
            "Define generate_static_params(), which returns a list of dicts, or remove it.",
        )


def _contradict(config: RouteConfig, outcome: str) -> tuple[str, str]:
    return (
        f"dynamic = {config.dynamic!r} and revalidate = {config.revalidate!r} contradict each "
        f"other: by the first a response is {outcome}.",
        "Remove one of them.",
    )


def _refuse_dynamic(value: object) -> tuple[str, str] | None:
    if value in DYNAMIC:
        return None
    close = get_close_matches(str(value).replace("_", "-"), DYNAMIC, n=1, cutoff=0.7)
    guess = f"Did you mean {close[0]!r}? " if close else ""
    return f"{value!r}", f"{guess}It can be {', '.join(map(repr, DYNAMIC))}."


def _refuse_revalidate(value: object) -> tuple[str, str] | None:
    if value is False or (type(value) is int and value >= 0):
        return None
    return (
        _shown(value),
        "Write whole seconds, revalidate = 60, or revalidate = False: until told. "
        "Without it, or with 0, the handler runs for each request.",
    )


def _refuse_dynamic_params(value: object) -> tuple[str, str] | None:
    return None if isinstance(value, bool) else (_shown(value), "Write True or False.")


def _refuse_static_params(value: object) -> tuple[str, str] | None:
    hint = "Write def generate_static_params(), which returns a list of dicts."
    if not callable(value) or inspect.isclass(value) or inspect.isasyncgenfunction(value):
        return _shown(value), hint
    try:
        inspect.signature(value).bind()
    except TypeError:
        return "a function that needs arguments, and is given none", hint
    except ValueError:  # it does not tell
        pass
    return None


def _refuse_cache_tags(value: object) -> tuple[str, str] | None:
    if inspect.isfunction(value) or (callable(value) and not inspect.isclass(value)):
        return None
    try:
        check_tags(value)
    except TypeError:
        hint = "Write a list of texts, or a function of path parameters that returns one."
        if isinstance(value, str):
            hint = f"Write a list: cache_tags = [{value!r}]."
        return _shown(value), hint
    return None


def _shown(value: object) -> str:
    if callable(value):
        return f"of the type {type(value).__name__}"
    return repr(value)


def check_tags(value: object) -> tuple[str, ...]:
    """Tags as a route config gives them, or a function in it.

    :raises TypeError: when it is no list or tuple of texts that are not empty.
    """
    if not isinstance(value, (list, tuple)):
        raise TypeError(f"{value!r} is no list")
    for tag in value:
        if not isinstance(tag, str) or not tag:
            raise TypeError(f"{tag!r} is no tag")
    return tuple(value)


_CHECKS: dict[str, Callable[[object], tuple[str, str] | None]] = {
    "dynamic": _refuse_dynamic,
    "revalidate": _refuse_revalidate,
    "dynamic_params": _refuse_dynamic_params,
    "generate_static_params": _refuse_static_params,
    "cache_tags": _refuse_cache_tags,
}
_NAMES = frozenset({*_CHECKS, *_OF_NEXTJS, *_NEARLY})
