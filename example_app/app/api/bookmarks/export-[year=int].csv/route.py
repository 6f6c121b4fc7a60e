"""/api/bookmarks/export-<year>.csv: one year for a spreadsheet."""

from __future__ import annotations

import csv
import io

from flask import Response

from ..._lib import bookmarks
from ..._lib.database import get_db

COLUMNS = ("id", "created", "url", "title", "notes", "tags")


def GET(year: int) -> Response:
    """Export the bookmarks that were created in a year, oldest first."""
    file = io.StringIO()
    writer = csv.DictWriter(file, COLUMNS, extrasaction="ignore")
    writer.writeheader()
    for bookmark in bookmarks.find_year(get_db(), year):
        writer.writerow({**bookmark, "tags": " ".join(bookmark["tags"])})
    return Response(file.getvalue(), mimetype="text/csv")
