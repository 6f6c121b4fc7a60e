"""What an app's config says of its cache."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from importlib.util import find_spec
from typing import Any

from flask import Flask

from ..errors import install_hint

#: What the name of each setting begins with in ``app.config``.
PREFIX = "ROUTE_HANDLERS_CACHE_"

_NOT_GIVEN = object()


@dataclass(frozen=True, slots=True)
class Settings:
    """How an app caches: ``ROUTE_HANDLERS_CACHE_URL`` and so on in ``app.config``.

    :param url: of a Redis or Valkey server that workers and machines share; ``None``: each
        process has a store of its own.
    :param prefix: what all keys in the server begin with.
    :param version: names what the code of route files does not show: change it to start anew.
    :param max_entries: how many entries a process keeps at most.
    :param max_bytes: how many bytes they take at most, about.
    :param max_body: bytes of the longest body that is stored.
    :param max_wait: seconds that a request waits at most for another one's computation.
    :param lock: seconds for which the lock of a process that died is kept.
    :param timeout: seconds after which a server that does not answer counts as down.
    :param threads: how many refreshes run at once in a process.
    """

    url: str | None = None
    prefix: str = "{flask-routehandlers}:"
    version: str = ""
    max_entries: int = 10_000
    max_bytes: int = 64 * 1024 * 1024
    max_body: int = 1024 * 1024
    max_wait: float = 2.0
    lock: float = 10.0
    timeout: float = 0.1
    threads: int = 4


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value.isprintable()


def _is_url(value: object) -> bool:
    return value is None or (_is_text(value) and bool(value))


def _is_count(value: object) -> bool:
    return type(value) is int and value > 0


def _is_duration(value: object) -> bool:
    return type(value) in (int, float) and 0 < value < float("inf")  # type: ignore[operator]


_WANTED: dict[Callable[[object], bool], str] = {
    _is_text: "a text",
    _is_url: "the URL of a server, redis://localhost:6379/0, or None",
    _is_count: "a whole number, 1 or more",
    _is_duration: "a number of seconds, more than 0",
}

_CHECKS: dict[str, Callable[[object], bool]] = {
    "url": _is_url,
    "prefix": _is_text,
    "version": _is_text,
    "max_entries": _is_count,
    "max_bytes": _is_count,
    "max_body": _is_count,
    "max_wait": _is_duration,
    "lock": _is_duration,
    "timeout": _is_duration,
    "threads": _is_count,
}


def read_settings(config: Mapping[str, Any]) -> Settings:
    """The settings in an app's config.

    Values that :func:`find_setting_problems` complains about are left out.
    """
    given = {name: config.get(PREFIX + name.upper(), _NOT_GIVEN) for name in _CHECKS}
    return Settings(**{n: v for n, v in given.items() if v is not _NOT_GIVEN and _CHECKS[n](v)})


def find_setting_problems(config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is wrong with the settings in an app's config: each reason with its hint."""
    for name, check in _CHECKS.items():
        key = PREFIX + name.upper()
        if key in config and not check(config[key]):
            yield f"{key} in app.config is {config[key]!r}.", f"It has to be {_WANTED[check]}."
    for key in config:
        name = key.removeprefix(PREFIX)
        if name != key and name.lower() not in _CHECKS:
            names = [known.upper() for known in _CHECKS]
            close = get_close_matches(name, names, n=1, cutoff=0.5)
            guess = f"Did you mean {PREFIX}{close[0]}? " if close else ""
            known = ", ".join(names)
            yield (
                f"{key} is in app.config, and there is no such setting.",
                f"{guess}Behind {PREFIX} stands one of {known}.",
            )
    url = read_settings(config).url
    if url is None:
        return
    if not config.get("SECRET_KEY"):
        yield (
            f"{PREFIX}URL is in app.config, and SECRET_KEY is not: "
            "what is in a shared store is signed with it.",
            "Set app.config['SECRET_KEY'], the same for all processes, before RouteHandlers.",
        )
    if find_spec("redis") is None:
        yield (
            f"{PREFIX}URL is in app.config, and redis-py is not installed.",
            install_hint("redis"),
        )
        return
    from redis.connection import parse_url

    try:
        parse_url(url)  # type: ignore[no-untyped-call]
    except ValueError:
        yield (
            f"{PREFIX}URL in app.config is {url!r}, and redis-py knows no such URL.",
            "Write redis://HOST:PORT/NUMBER.",
        )


def find_late_settings(used: Settings, config: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """The settings that an app's config has others of than those in use: by the name of each what
    is wrong, and the hint."""
    now = read_settings(config)
    late = (f.name for f in fields(now) if getattr(now, f.name) != getattr(used, f.name))
    return {
        name: (
            f"{PREFIX}{name.upper()} in app.config was set after RouteHandlers had read it, and "
            "has no effect.",
            "Set it before RouteHandlers(app), or init_app(app), is called.",
        )
        for name in late
    }


def host_of(app: Flask) -> str:
    """The host that a static handler sees: ``localhost``, unless the app would refuse it."""
    name: str | None = app.config["SERVER_NAME"]
    trusted: list[str] | str | None = app.config["TRUSTED_HOSTS"]
    host = "localhost"
    if trusted:
        first = trusted if isinstance(trusted, str) else trusted[0]
        host = name or first.lstrip(".")
    if app.subdomain_matching and name:
        subdomain = app.url_map.default_subdomain
        host = f"{subdomain}.{name}" if subdomain else name
    return host
