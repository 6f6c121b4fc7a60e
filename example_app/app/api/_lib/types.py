"""What clients send and get."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from typing import Annotated, TypedDict
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, with_config
from werkzeug.urls import iri_to_uri

#: The largest id that SQLite can store.
LARGEST_ID = 2**63 - 1

#: Characters that XML or SQLite cannot store: control characters, surrogates, non-characters.
_UNPRINTABLE = re.compile(r"[^\t\n\r\x20-\x7e\x80-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TAG = re.compile(r"\w[\w.+#-]{0,39}")
_TIME = "%Y-%m-%dT%H:%M:%SZ"


def clean_tag(text: str) -> str:
    """Return a tag in the form in which it is stored and looked up."""
    # Normalize twice: folding decomposes some letters.
    folded = unicodedata.normalize("NFKC", text).casefold()
    return unicodedata.normalize("NFKC", folded)


def _check_text(text: str) -> str:
    if _UNPRINTABLE.search(text):
        raise ValueError("must not have control characters")
    return text.strip()


def _check_url(text: str) -> str:
    reason = "must be an http or https URL"
    try:
        parts = urlsplit(iri_to_uri(text))
    except ValueError:
        raise ValueError(reason) from None
    if parts.scheme not in ("http", "https") or not parts.hostname or re.search(r"\s", text):
        raise ValueError(reason)
    return parts._replace(path=parts.path or "/").geturl()


def _check_title(text: str) -> str:
    title = " ".join(text.split())
    if not title:
        raise ValueError("must not be empty")
    return title


def _check_tag(text: str) -> str:
    tag = clean_tag(text)
    if not _TAG.fullmatch(tag):
        raise ValueError("a tag is a word of letters, digits and . + # - _, at most 40")
    return tag


def _check_time(text: str) -> str:
    reason = "must be a time like 2026-11-25T01:19:59Z"
    try:
        # Compare with the canonical form: strptime accepts others too.
        is_canonical = datetime.strptime(text, _TIME).strftime(_TIME) == text
    except ValueError:
        raise ValueError(reason) from None
    if not is_canonical:
        raise ValueError(reason)
    return text


Url = Annotated[
    str, Field(max_length=2000), AfterValidator(_check_text), AfterValidator(_check_url)
]
Title = Annotated[
    str, Field(max_length=300), AfterValidator(_check_text), AfterValidator(_check_title)
]
Notes = Annotated[str, Field(max_length=10_000), AfterValidator(_check_text)]
Tag = Annotated[str, AfterValidator(_check_tag)]
Tags = Annotated[list[Tag], Field(max_length=20), AfterValidator(lambda tags: sorted(set(tags)))]
Time = Annotated[str, AfterValidator(_check_time)]

strictly = with_config(ConfigDict(extra="forbid"))


@strictly
class Changes(TypedDict, total=False):
    """The fields of a bookmark that a client changes."""

    url: Url
    title: Title
    notes: Notes
    tags: Tags


class _Optional(TypedDict, total=False):
    title: Title
    notes: Notes
    tags: Tags


@strictly
class NewBookmark(_Optional):
    """A bookmark that a client adds. Its title is its URL by default."""

    url: Url


class _Times(_Optional, total=False):
    created: Time
    updated: Time


@strictly
class OldBookmark(_Times):
    """A bookmark of a backup."""

    url: Url


@strictly
class Backup(TypedDict):
    """Bookmarks to import."""

    bookmarks: list[OldBookmark]


@strictly
class TagName(TypedDict):
    """The new name of a tag."""

    name: Tag


Id = Annotated[int, Field(ge=1, le=LARGEST_ID)]
Limit = Annotated[int, Field(ge=1, le=100)]


class Page(BaseModel):
    """The part of a list that a client asks for.

    A page begins below an id and not at an offset, so no bookmark is missed or repeated when
    others are added.
    """

    limit: Limit = 20
    before: Id = LARGEST_ID
    tag: list[Annotated[str, AfterValidator(clean_tag)]] = []
    q: Annotated[str, Field(max_length=200)] = ""


class Search(Page):
    """The same with words to search for."""

    q: Annotated[str, Field(max_length=200, pattern=r"\S")]


class Bookmark(TypedDict):
    """A bookmark as clients get it."""

    id: int
    url: str
    title: str
    notes: str
    created: str
    updated: str
    tags: list[str]


class Bookmarks(TypedDict):
    """A page of bookmarks, and the URL of the next."""

    bookmarks: list[Bookmark]
    next: str | None


class Location(TypedDict):
    """The headers of an answer that names a bookmark."""

    Location: str
