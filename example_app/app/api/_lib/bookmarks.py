"""Read and write bookmarks. Transactions belong to the caller."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

from .types import LARGEST_ID, Bookmark

#: The cache tag of every static handler that shows bookmarks.
TAG = "bookmarks"


def find(
    db: sqlite3.Connection,
    *,
    limit: int,
    before: int = LARGEST_ID,
    tags: Iterable[str] = (),
    words: Iterable[str] = (),
    site: str = "",
) -> list[Bookmark]:
    """Find bookmarks, newest first.

    :param limit: how many; ``-1`` for all.
    :param before: only ids below this one.
    :param tags: tags that a bookmark must have.
    :param words: casefolded words that must occur in its title, URL or notes.
    :param site: the beginning of its address, with a slash at the end.
    """
    rows = db.execute(
        """
        SELECT * FROM tagged_bookmark AS b
        WHERE id < :before
        AND NOT EXISTS (
            SELECT value FROM json_each(:tags)
            EXCEPT SELECT name FROM tag WHERE bookmark_id = b.id
        )
        AND NOT EXISTS (
            SELECT 1 FROM json_each(:words)
            WHERE instr(casefold(title || ' ' || url || ' ' || notes), value) = 0
        )
        AND (:site = '' OR instr(address(url), :site) = 1)
        ORDER BY id DESC LIMIT :limit
        """,
        {
            "limit": limit,
            "before": before,
            "tags": json.dumps(list(tags)),
            "words": json.dumps(list(words)),
            "site": site,
        },
    )
    return [_bookmark(row) for row in rows]


def find_after(db: sqlite3.Connection, after: int, limit: int) -> list[Bookmark]:
    """Find bookmarks with a larger id, oldest first."""
    rows = db.execute(
        "SELECT * FROM tagged_bookmark WHERE id > ? ORDER BY id LIMIT ?", (after, limit)
    )
    return [_bookmark(row) for row in rows]


def find_year(db: sqlite3.Connection, year: int) -> list[Bookmark]:
    """Find bookmarks that were created in a year, oldest first."""
    rows = db.execute(
        "SELECT * FROM tagged_bookmark WHERE substr(created, 1, 5) = ? ORDER BY created, id",
        (f"{year:04}-",),
    )
    return [_bookmark(row) for row in rows]


def get(db: sqlite3.Connection, bookmark_id: int) -> Bookmark | None:
    """Return a bookmark, if it exists."""
    row = db.execute(
        "SELECT * FROM tagged_bookmark WHERE id = ?", (min(bookmark_id, LARGEST_ID),)
    ).fetchone()
    return _bookmark(row) if row else None


def get_by_url(db: sqlite3.Connection, url: str) -> Bookmark | None:
    """Return the bookmark with a URL, if there is one."""
    row = db.execute("SELECT * FROM tagged_bookmark WHERE url = ?", (url,)).fetchone()
    return _bookmark(row) if row else None


def add(db: sqlite3.Connection, fields: Mapping[str, Any]) -> Bookmark:
    """Insert a bookmark; it is created and updated now unless its fields have other times.

    Its title is its URL unless it has another one.

    :returns: the bookmark as it is stored.
    :raises sqlite3.IntegrityError: if a bookmark with this URL exists.
    """
    bookmark_id = db.execute(
        """
        INSERT INTO bookmark (url, title, notes, created, updated)
        VALUES (
            :url, :title, :notes,
            coalesce(:created, strftime('%Y-%m-%dT%H:%M:%SZ', 'now')),
            coalesce(:updated, strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))
        )
        """,
        {"title": fields["url"], "notes": "", "created": None, "updated": None, **fields},
    ).lastrowid
    assert bookmark_id is not None
    _set_tags(db, bookmark_id, fields.get("tags", ()))
    added = get(db, bookmark_id)
    assert added is not None
    return added


def change(db: sqlite3.Connection, bookmark_id: int, fields: Mapping[str, Any]) -> None:
    """Set some fields of a bookmark, if it exists.

    :raises sqlite3.IntegrityError: if another bookmark has this URL.
    """
    bookmark_id = min(bookmark_id, LARGEST_ID)
    changed = db.execute(
        """
        UPDATE bookmark SET
            url = coalesce(:url, url),
            title = coalesce(:title, title),
            notes = coalesce(:notes, notes),
            updated = strftime('%Y-%m-%dT%H:%M:%SZ', 'now')
        WHERE id = :id
        """,
        {"url": None, "title": None, "notes": None, **fields, "id": bookmark_id},
    ).rowcount
    if changed and "tags" in fields:
        db.execute("DELETE FROM tag WHERE bookmark_id = ?", (bookmark_id,))
        _set_tags(db, bookmark_id, fields["tags"])


def remove(db: sqlite3.Connection, bookmark_id: int) -> None:
    """Delete a bookmark, if it exists."""
    db.execute("DELETE FROM bookmark WHERE id = ?", (bookmark_id,))


def count_tags(db: sqlite3.Connection) -> dict[str, int]:
    """Return the number of bookmarks for each tag, sorted by tag."""
    return dict(db.execute("SELECT name, count(*) FROM tag GROUP BY name ORDER BY name"))


def rename_tag(db: sqlite3.Connection, old: str, new: str) -> bool:
    """Rename a tag. If the new name exists, the two become one.

    :returns: whether the tag exists.
    """
    query = "UPDATE OR REPLACE tag SET name = ? WHERE name = ?"
    return bool(db.execute(query, (new, old)).rowcount)


def newest_id(db: sqlite3.Connection) -> int:
    """Return the largest id that was ever assigned, or 0."""
    row = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'bookmark'").fetchone()
    return row[0] if row else 0


def _set_tags(db: sqlite3.Connection, bookmark_id: int, tags: Iterable[str]) -> None:
    db.executemany(
        "INSERT INTO tag (bookmark_id, name) VALUES (?, ?)", [(bookmark_id, tag) for tag in tags]
    )


def _bookmark(row: sqlite3.Row) -> Bookmark:
    return Bookmark(
        id=row["id"],
        url=row["url"],
        title=row["title"],
        notes=row["notes"],
        created=row["created"],
        updated=row["updated"],
        tags=sorted(json.loads(row["tags"])),
    )
