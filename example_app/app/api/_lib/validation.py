"""Checks of client input: each function returns a clean value or aborts with a 4xx."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, NoReturn
from urllib.parse import urlsplit

from flask import abort, request
from werkzeug.exceptions import BadRequest
from werkzeug.urls import iri_to_uri

#: Characters that XML or SQLite cannot store: control characters, surrogates, non-characters.
_UNPRINTABLE = re.compile(r"[^\t\n\r\x20-\x7e\x80-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TAG = re.compile(r"\w[\w.+#-]{0,39}")


def read_number(name: str, *, default: int, most: int, least: int = 1) -> int:
    """Read a whole number from the query string."""
    text = request.args.get(name)
    return default if text is None else parse_number(name, text, least, most)


def parse_number(name: str, text: str, least: int, most: int) -> int:
    if not re.fullmatch("[0-9]{1,19}", text) or not least <= int(text) <= most:
        abort(400, f"{name} must be a whole number from {least} to {most}.")
    return int(text)


def read_words() -> list[str]:
    """Return the words of ``?q=``, casefolded."""
    query = request.args.get("q", "")
    if len(query) > 200:
        abort(400, "q must have at most 200 characters.")
    return query.casefold().split()


def clean_tag(text: str) -> str:
    """Return a tag in the form in which it is stored and looked up."""
    # Normalize twice: folding decomposes some letters.
    folded = unicodedata.normalize("NFKC", text).casefold()
    return unicodedata.normalize("NFKC", folded)


def read_object() -> dict[str, Any]:
    """Return the JSON object in the body of the request."""
    try:
        body = request.get_json()
    except (BadRequest, RecursionError):
        abort(400, "The body is not valid JSON.")
    if not isinstance(body, dict):
        abort(422, "The body must be a JSON object.")
    return body


def read_bookmark() -> dict[str, Any]:
    """Return all fields of a bookmark; the body must have at least a URL."""
    return _complete(_check(read_object(), _BOOKMARK, required=["url"]))


def read_bookmarks() -> list[dict[str, Any]]:
    """Return the ``bookmarks`` of the body, which can have ``created`` and ``updated``."""
    fields = _check(read_object(), {"bookmarks": _objects}, required=["bookmarks"])
    return [
        _complete(_check(body, _STORED, required=["url"], within=f"bookmarks[{number}]."))
        for number, body in enumerate(fields["bookmarks"])
    ]


def read_changes() -> dict[str, Any]:
    """Return the fields of a bookmark that the body has."""
    return _check(read_object(), _BOOKMARK)


def read_tag_name() -> str:
    """Return the ``name`` in the body."""
    name: str = _check(read_object(), {"name": _tag}, required=["name"])["name"]
    return name


def _complete(fields: dict[str, Any]) -> dict[str, Any]:
    return {"title": fields["url"], "notes": "", "tags": [], **fields}


def _check(
    body: dict[str, Any],
    checks: Mapping[str, Callable[[object], Any]],
    required: Iterable[str] = (),
    within: str = "",
) -> dict[str, Any]:
    errors = {ascii(name): "is not a known field" for name in body if name not in checks}
    errors |= {name: "is missing" for name in required if name not in body}
    fields = {}
    for name, check in checks.items():
        if name in body:
            try:
                fields[name] = check(body[name])
            except ValueError as error:
                errors[name] = str(error)
    if errors:
        errors = {within + name: f"{reason}." for name, reason in errors.items()}
        detail = " ".join(f"{name}: {reason}" for name, reason in errors.items())
        abort(422, {"detail": detail, "errors": errors})
    return fields


def _objects(value: object) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise ValueError("must be a list of JSON objects")
    return value


def _text(value: object, most: int) -> str:
    if not isinstance(value, str):
        raise ValueError("must be a string")
    if len(value) > most:
        raise ValueError(f"must have at most {most} characters")
    if _UNPRINTABLE.search(value):
        raise ValueError("must not have control characters")
    return value.strip()


def _url(value: object) -> str:
    text = _text(value, 2000)
    try:
        parts = urlsplit(iri_to_uri(text))
    except ValueError:
        _refuse_url()
    if parts.scheme not in ("http", "https") or not parts.hostname or re.search(r"\s", text):
        _refuse_url()
    return parts._replace(path=parts.path or "/").geturl()


def _refuse_url() -> NoReturn:
    raise ValueError("must be an http or https URL")


def _title(value: object) -> str:
    title = " ".join(_text(value, 300).split())
    if not title:
        raise ValueError("must not be empty")
    return title


def _notes(value: object) -> str:
    return _text(value, 10_000)


def _tags(value: object) -> list[str]:
    if not isinstance(value, list) or len(value) > 20:
        raise ValueError("must be a list of at most 20 tags")
    return sorted(set(map(_tag, value)))


def _tag(value: object) -> str:
    tag = clean_tag(value) if isinstance(value, str) else ""
    if not _TAG.fullmatch(tag):
        raise ValueError("a tag is a word of letters, digits and . + # - _, at most 40")
    return tag


def _time(value: object) -> str:
    form = "%Y-%m-%dT%H:%M:%SZ"
    try:
        # Compare with the canonical form: strptime accepts others too.
        if isinstance(value, str) and datetime.strptime(value, form).strftime(form) == value:
            return value
    except ValueError:
        pass
    raise ValueError("must be a time like 2026-11-25T01:19:59Z")


_BOOKMARK = {"url": _url, "title": _title, "notes": _notes, "tags": _tags}
_STORED = _BOOKMARK | {"created": _time, "updated": _time}
