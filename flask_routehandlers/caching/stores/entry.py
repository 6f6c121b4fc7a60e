"""A stored response and its key, and its form in a shared store: signed bytes, never executed."""

from __future__ import annotations

import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

#: The first bytes of every stored entry. The number is that of the format: another one is a miss.
MAGIC = b"FRH1"
_MAC = slice(len(MAGIC), len(MAGIC) + sha256().digest_size)
_HEADER = _MAC.stop + 4

#: Bytes that an entry takes beside its texts: objects, its places in dictionaries, and the headers
#: that its responses are made of.
_OVERHEAD, _OVERHEAD_OF_PAIR = 3200, 200

_PURPOSE = b"flask-routehandlers cache entry"


@dataclass(frozen=True, slots=True)
class Entry:
    """The response of a static handler.

    :param key: the key it is stored under; it is checked on reading.
    :param etag: strong, with its quotes.
    :param tags: what revalidating it can be asked by.
    :param revalidate: seconds until it is stale, or ``None``: until revalidated.
    :param planned: whatever a reader works out of it once, for as long as this object is kept.
    """

    key: str
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    etag: str
    tags: tuple[str, ...] = ()
    revalidate: int | None = None
    planned: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def lifetime(self) -> float:
        """Seconds for which it is fresh once stored."""
        return float("inf") if self.revalidate is None else self.revalidate


def make_etag(status: int, headers: Sequence[tuple[str, str]], body: bytes) -> str:
    """A strong entity tag, with its quotes, for all that a client would see of a response."""
    digest = sha256(json.dumps([status, *headers]).encode())
    digest.update(b"\n")
    digest.update(body)
    return f'"{digest.hexdigest()[:32]}"'


def signing_key(secret_key: str | bytes) -> bytes:
    """The key that entries are signed with, derived from an app's ``SECRET_KEY``."""
    secret = secret_key.encode() if isinstance(secret_key, str) else secret_key
    return hmac.digest(secret, _PURPOSE, "sha256")


def dump(entry: Entry, secret: bytes) -> bytes:
    """The bytes of an entry: magic, signature, length of the header, JSON header, body.

    :param secret: what :func:`signing_key` gives.
    """
    fields = [
        entry.key,
        entry.status,
        entry.headers,
        entry.etag,
        entry.tags,
        entry.revalidate,
    ]
    header = json.dumps(fields, separators=(",", ":")).encode()
    signed = b"".join((len(header).to_bytes(4, "big"), header, entry.body))
    return b"".join((MAGIC, hmac.digest(secret, signed, "sha256"), signed))


def load(data: bytes, key: str, secret: bytes) -> Entry | None:
    """The entry in some bytes, or ``None`` for anything that :func:`dump` did not make of one
    with this key and secret."""
    signed = memoryview(data)[_MAC.stop :]
    if not hmac.compare_digest(hmac.digest(secret, signed, "sha256"), signature(data)):
        return None
    if not data.startswith(MAGIC):
        return None
    # What is signed with our secret has the form of our dump.
    start = _HEADER + int.from_bytes(data[_MAC.stop : _HEADER], "big")
    own_key, status, headers, etag, tags, revalidate = json.loads(data[_HEADER:start])
    if own_key != key:
        return None
    pairs = tuple((name, value) for name, value in headers)
    return Entry(own_key, status, pairs, data[start:], etag, tuple(tags), revalidate)


def signature(data: bytes) -> bytes:
    """The signature in the bytes of an entry. Equal signatures: equal entries."""
    return data[_MAC]


def size_of(entry: Entry) -> int:
    """The bytes that an entry takes in a store of this process, about."""
    texts = [
        entry.key,
        entry.etag,
        *entry.tags,
        *(text for pair in entry.headers for text in pair),
    ]
    pairs = len(entry.headers) + len(entry.tags)
    return len(entry.body) + sum(map(len, texts)) + _OVERHEAD + _OVERHEAD_OF_PAIR * pairs


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
