"""/api/bookmarks/export-<year>.csv: one year for a spreadsheet."""

from __future__ import annotations

import csv
import io
from sqlite3 import Connection

from flask import Response

from ..._lib import bookmarks

COLUMNS = ("id", "created", "url", "title", "notes", "tags")


def GET(year: int, db: Connection) -> Response:
    """Export the bookmarks that were created in a year, oldest first."""
    file = io.StringIO()
    writer = csv.DictWriter(file, COLUMNS, extrasaction="ignore")
    writer.writeheader()
    for bookmark in bookmarks.find_year(db, year):
        writer.writerow({**bookmark, "tags": " ".join(bookmark["tags"])})
    return Response(file.getvalue(), mimetype="text/csv")
