"""Name the entries of an app: a key for each route file and path.

A key is a digest, followed by the path. The digest is of the namespace of a tree (the same in each
process of an app, and another one for another app), of the route file with its source, and of the
version in the settings. So new code begins with nothing stored, and no one has to empty the store.
"""

from __future__ import annotations

import gc
import json
import os
from collections.abc import Iterator
from hashlib import sha256
from weakref import WeakKeyDictionary

from flask import Flask
from itsdangerous import Signer

from ..errors import Problem
from .settings import PREFIX, Settings

#: Longer paths are stored under their digest. URLs that an app makes are shorter.
LONGEST_PATH = 256

#: For each app of this process that uses a shared store: its namespaces there, and its settings.
_apps: WeakKeyDictionary[Flask, tuple[set[tuple[str, ...]], str]] = WeakKeyDictionary()


def namespace_of(app: Flask, root: str, name: str) -> str:
    """Return a name for the entries of a tree: the same in every process of an app.

    It depends on the place of the root in the project, but not on the name under which a process
    imports the app. Apps that have other values of ``SECRET_KEY`` have other namespaces.

    :param root: the absolute path of the root.
    :param name: the blueprint's name.
    """
    try:
        place = os.path.relpath(root, app.root_path)
    except ValueError:  # on another drive
        place = root
    secret = app.config["SECRET_KEY"] or ""
    signer = Signer(secret, "flask-routehandlers tree", digest_method=sha256)
    return signer.get_signature(json.dumps([place.replace(os.sep, "/"), name])).decode()


def claim_namespace(app: Flask, settings: Settings, namespace: str) -> Iterator[Problem]:
    """Reserve a namespace in a shared store for an app.

    A factory that is called twice with the same settings makes one app twice, whose responses are
    the same. With other settings, those of another tenant or database, it makes another app.
    Tests make many apps that differ in small things, so an app with ``TESTING`` is not checked.

    :returns: the problem if an app with other settings has it in this process, and no setting
        says that both share their entries.
    """
    if settings.url is None or app.testing or f"{PREFIX}PREFIX" in app.config:
        return
    key = settings.url, settings.version, namespace
    config = _describe_config(app)
    if _is_claimed(key, config):
        gc.collect()  # it may be by an app that is not used any more
        if _is_claimed(key, config):
            yield Problem(
                "Another app of this process, with different settings, stores its responses "
                "under the same keys of the same server.",
                f"Set {PREFIX}PREFIX in app.config to a different string for each app, or to the "
                "same one if they may serve each other's responses.",
            )
            return
    _apps.setdefault(app, (set(), config))[0].add(key)


def _is_claimed(key: tuple[str, ...], config: str) -> bool:
    """Return whether an app with other settings has a namespace."""
    return any(key in keys and config != other for keys, other in list(_apps.values()))


def _describe_config(app: Flask) -> str:
    """Return a string that differs if the strings, numbers and lists of two configs do.

    Of other objects only the classes count: a factory makes new ones each time.
    """
    config = {name: app.config[name] for name in sorted(app.config) if name != "DEBUG"}
    return json.dumps(config, skipkeys=True, default=lambda value: type(value).__qualname__)


def file_prefix(namespace: str, file: str, source: bytes, version: str) -> str:
    """Return the beginning of the keys of one route file, which always has the same length.

    It changes with the code that computes responses: new code starts with an empty cache.

    :param namespace: the result of :func:`namespace_of`.
    :param source: the bytes of the file.
    :param version: ``ROUTE_HANDLERS_CACHE_VERSION``, for changes in other files.
    """
    digest = sha256(json.dumps([namespace, file, version]).encode())
    digest.update(b"\n")
    digest.update(source)
    return digest.hexdigest()[:32]


def make_key(prefix: str, path: str) -> str:
    """Return the key of a path.

    :param prefix: the result of :func:`file_prefix`.
    :param path: the decoded path, which determines the parameters.
    """
    if len(path) > LONGEST_PATH:
        # A path begins with a slash, so no other key looks like this one.
        return f"{prefix}#{sha256(path.encode('utf-8', 'surrogatepass')).hexdigest()}"
    return prefix + path


def canonical(path: str) -> str:
    """Return a decoded path without the slash at its end.

    With ``strict_slashes = False`` both lead to the same file with the same parameters.
    """
    return path.rstrip("/") or "/"
