"""The key of a static response: all that its handler can see, and the code that made it."""

from __future__ import annotations

import json
from hashlib import sha256

#: Longer paths are stored under their digest. No URL of an app that means well is longer.
LONGEST_PATH = 256


def file_prefix(app_name: str, mount_name: str, file: str, code_version: str) -> str:
    """What the keys of one route file begin with; its length is always the same.

    :param app_name: the app's import name.
    :param mount_name: the blueprint's name.
    :param file: the route file, relative to the root.
    :param code_version: what :func:`code_version` gives.
    """
    parts = json.dumps([app_name, mount_name, file, code_version])
    return sha256(parts.encode()).hexdigest()[:32]


def code_version(source: bytes, version: str) -> str:
    """Names the code that computes a response: a new one starts with an empty cache.

    :param source: the bytes of the route file.
    :param version: ``ROUTE_HANDLERS_CACHE_VERSION``, for changes that no route file shows.
    """
    return sha256(b"%d:%b%b" % (len(source), source, version.encode())).hexdigest()


def canonical(path: str) -> str:
    """A decoded path without the slash at its end that ``strict_slashes = False`` allows: it leads
    to the same file with the same parameters, so it is no other response."""
    return path.rstrip("/") or "/"


def make_key(prefix: str, path: str) -> str:
    """The key of a path of a route file.

    :param prefix: what :func:`file_prefix` gives.
    :param path: the decoded path of the request; with the file it tells the parameters.
    """
    if len(path) > LONGEST_PATH:
        # A path begins with a slash, so no other key looks like this one.
        return f"{prefix}#{sha256(path.encode('utf-8', 'surrogatepass')).hexdigest()}"
    return prefix + path
