"""A stored response, and its form in a shared store: signed bytes, never executed.

Whoever can write to the server could otherwise choose what clients get. The bytes are a line of
JSON, the body as it is, and a signature with a key that is derived from ``SECRET_KEY``. What is
not signed, or signed for another key of the store, is a miss.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from hmac import compare_digest
from typing import Any

from itsdangerous import Signer

#: Separates the signing key from others of the same ``SECRET_KEY``. The number is that of the
#: format: an entry in another one is a miss.
_SALT = b"flask-routehandlers entry 2"

#: Bytes that an entry takes in addition to its strings: objects, places in dictionaries, and the
#: headers that are made for its responses; and those for each header and tag.
_OVERHEAD, _OVERHEAD_OF_PAIR = 3200, 200


@dataclass(frozen=True, slots=True)
class Entry:
    """The response of a static handler.

    :param key: the key under which it is stored, which is compared on reading.
    :param etag: its entity tag, with quotes.
    :param tags: the names that revalidate it.
    :param revalidate: seconds until it is stale, or ``None``: fresh until revalidated.
    :param planned: whatever readers derive from it once, for as long as this object is kept.
    """

    key: str
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    etag: str
    tags: tuple[str, ...] = ()
    revalidate: int | None = None
    planned: dict[object, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def lifetime(self) -> float:
        """Seconds for which it is fresh once stored."""
        if self.revalidate is None:
            return float("inf")
        return self.revalidate


def make_etag(status: int, headers: Sequence[tuple[str, str]], body: bytes) -> str:
    """Return a strong entity tag, with quotes, for everything that a client sees."""
    digest = sha256(json.dumps([status, *headers]).encode())
    digest.update(b"\n")
    digest.update(body)
    return f'"{digest.hexdigest()[:32]}"'


def make_signer(secret_key: str | bytes) -> Signer:
    """Return what signs entries, with a key that is derived from the app's ``SECRET_KEY``."""
    return Signer(secret_key, salt=_SALT, key_derivation="hmac", digest_method=sha256)


def dump(entry: Entry, signer: Signer) -> bytes:
    """Return the bytes of an entry: a line of JSON, the body, and a signature of both."""
    fields = [entry.key, entry.status, entry.headers, entry.etag, entry.tags, entry.revalidate]
    line = json.dumps(fields, separators=(",", ":")).encode()
    return signer.sign(b"\n".join((line, entry.body)))


def load(data: bytes, key: str, signer: Signer) -> Entry | None:
    """Return the entry in some bytes; ``None`` unless :func:`dump` made them for this key."""
    signed = data.rpartition(b".")[0]
    # Character by character: Signer.unsign ignores some.
    if not compare_digest(signer.get_signature(signed), signature(data)):
        return None
    line, _, body = signed.partition(b"\n")
    own_key, status, headers, etag, tags, revalidate = json.loads(line)
    if own_key != key:
        return None
    pairs = tuple((name, value) for name, value in headers)
    return Entry(own_key, status, pairs, body, etag, tuple(tags), revalidate)


def signature(data: bytes) -> bytes:
    """Return the signature in the bytes of an entry. Equal signatures mean equal entries."""
    return data.rpartition(b".")[2]


def size_of(entry: Entry) -> int:
    """Return about how many bytes an entry takes in the memory of this process."""
    size = len(entry.key) + len(entry.etag) + len(entry.body) + sum(map(len, entry.tags))
    for name, value in entry.headers:
        size += len(name) + len(value)
    return size + _OVERHEAD + _OVERHEAD_OF_PAIR * (len(entry.headers) + len(entry.tags))
