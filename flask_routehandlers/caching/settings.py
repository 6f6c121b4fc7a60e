"""The settings of the cache in an app's config.

They are checked whenever a tree is built, and read once, when the first static route is made. A
message never repeats a URL, which may have a password.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from importlib.util import find_spec
from typing import Any

from flask import Flask

from ..errors import Problem, install_hint

#: The beginning of each setting's name in ``app.config``.
PREFIX = "ROUTE_HANDLERS_CACHE_"


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of a cache: ``ROUTE_HANDLERS_CACHE_URL`` and so on in ``app.config``.

    :param url: the Redis or Valkey server that workers and machines share; ``None``: each process
        has its own store.
    :param prefix: the beginning of all keys in the server.
    :param version: a name for the code that route files do not contain: another one starts with
        nothing stored.
    :param max_entries: how many entries a process keeps at most.
    :param max_bytes: about how many bytes they take at most.
    :param max_body: bytes of the longest body that is stored.
    :param max_wait: seconds that a request waits at most for another's computation.
    :param lock: seconds for which the lock of a process that died is kept.
    :param timeout: seconds after which a server that does not answer counts as down.
    :param threads: how many refreshes run at once in a process.
    """

    url: str | None = field(default=None, repr=False)  # it may contain a password
    prefix: str = "{flask-routehandlers}:"  # braces put all keys into one slot of a cluster
    version: str = ""
    max_entries: int = 10_000
    max_bytes: int = 64 * 1024 * 1024
    max_body: int = 1024 * 1024
    max_wait: float = 2.0
    lock: float = 10.0
    timeout: float = 0.1
    threads: int = 4


def _is_string(value: object) -> bool:
    return isinstance(value, str) and value.isprintable()


def _is_url(value: object) -> bool:
    return value is None or (_is_string(value) and bool(value))


def _is_count(value: object) -> bool:
    return type(value) is int and value > 0


def _is_duration(value: object) -> bool:
    return type(value) in (int, float) and 0 < value < float("inf")  # type: ignore[operator]


#: For each type of a setting a function that checks its value, and a description of valid values.
_CHECKS: dict[Any, tuple[Callable[[object], bool], str]] = {
    "str | None": (_is_url, "the URL of a server, redis://localhost:6379/0, or None"),
    "str": (_is_string, "a string of printable characters"),
    "int": (_is_count, "a whole number, 1 or more"),
    "float": (_is_duration, "a number of seconds, more than 0"),
}

#: The settings by their names in ``app.config``.
_SETTINGS = {PREFIX + setting.name.upper(): setting for setting in fields(Settings)}


def read_settings(config: Mapping[str, Any]) -> Settings:
    """Return the settings in an app's config, without those that have a problem."""
    values = {}
    for key, setting in _SETTINGS.items():
        is_valid, _ = _CHECKS[setting.type]
        if key in config and is_valid(config[key]):
            values[setting.name] = config[key]
    return Settings(**values)


def find_setting_problems(config: Mapping[str, Any]) -> Iterator[Problem]:
    """Check the settings in an app's config."""
    for key, setting in _SETTINGS.items():
        is_valid, description = _CHECKS[setting.type]
        if key in config and not is_valid(config[key]):
            value = repr(config[key])
            if setting.name == "url":
                value = "not valid"  # it may contain a password
            yield Problem(f"{key} in app.config is {value}.", f"It must be {description}.")
    for key in config:
        if key.startswith(PREFIX) and key not in _SETTINGS:
            yield _unknown_setting(key)
    url = read_settings(config).url
    if url is not None:
        yield from _find_url_problems(url, config)


def _unknown_setting(key: str) -> Problem:
    """Return the problem of a setting that does not exist."""
    names = [known.removeprefix(PREFIX) for known in _SETTINGS]
    hint = f"{PREFIX} is followed by one of {', '.join(names)}."
    close = get_close_matches(key.removeprefix(PREFIX), names, n=1, cutoff=0.5)
    if close:
        hint = f"Did you mean {PREFIX}{close[0]}? {hint}"
    return Problem(f"{key} in app.config is not a setting of the cache.", hint)


def _find_url_problems(url: str, config: Mapping[str, Any]) -> Iterator[Problem]:
    """Check what a shared store needs. No server is connected, and no URL is printed."""
    if not config.get("SECRET_KEY"):
        yield Problem(
            f"{PREFIX}URL is set in app.config, but SECRET_KEY is not: entries in a shared store "
            "are signed with it.",
            "Set app.config['SECRET_KEY'] before RouteHandlers, to the same value in every "
            "process.",
        )
    if find_spec("redis") is None:
        yield Problem(
            f"{PREFIX}URL is set in app.config, but redis-py is not installed.",
            install_hint("redis"),
        )
        return
    from .stores.connections import Connections

    try:
        Connections(url, 1.0, 1)  # which connects at its first call
    except ValueError as error:
        yield Problem(
            f"{PREFIX}URL in app.config cannot be used: {error}.",
            "Write redis://HOST:PORT/NUMBER, and percent-encode special characters of a password.",
        )


def find_late_settings(used: Settings, config: Mapping[str, Any]) -> dict[str, Problem]:
    """Return, by name, the settings in an app's config that differ from those in use."""
    now = read_settings(config)
    problems = {}
    for key, setting in _SETTINGS.items():
        if getattr(now, setting.name) != getattr(used, setting.name):
            problems[setting.name] = Problem(
                f"{key} in app.config was set after RouteHandlers read it, and has no effect.",
                "Set it before RouteHandlers(app), or init_app(app), is called.",
            )
    return problems


def host_of(app: Flask) -> str:
    """Return the host that a static handler sees.

    It is ``localhost``, unless the app would refuse that.
    """
    name: str | None = app.config["SERVER_NAME"]
    trusted: list[str] | str | None = app.config["TRUSTED_HOSTS"]
    host = "localhost"
    if isinstance(trusted, str):
        trusted = [trusted]
    if trusted:
        host = name or trusted[0].lstrip(".")
    if app.subdomain_matching and name:
        host = name
        if app.url_map.default_subdomain:
            host = f"{app.url_map.default_subdomain}.{name}"
    return app.url_map.bind(host).server_name  # in lower case, and ASCII
