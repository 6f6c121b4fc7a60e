"""Flask-Babel: translations that are looked up when they are shown, in the language of a request.

Details of errors are such strings. They must not become ordinary ones before their request.
"""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("flask_babel")

from babel.messages import Catalog
from babel.messages.mofile import write_mo
from flask import request
from flask_babel import Babel

ROUTE = """
from datetime import date
from flask import abort
from flask_babel import format_date, gettext, lazy_gettext

MISSING = lazy_gettext("No such user.")

def GET(id):
    abort(404, MISSING)

def POST(id):
    return {"message": gettext("No such user."), "day": format_date(date(2030, 3, 1), "MMMM")}
"""


def add_translation(folder: Path, locale: str, message: str, translation: str) -> None:
    """Write a catalog with one message below a folder of translations."""
    catalog = Catalog(locale=locale)
    catalog.add(message, translation)
    path = folder / locale / "LC_MESSAGES/messages.mo"
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        write_mo(file, catalog)


def test_details_are_in_the_language_of_a_request(make_app):
    middleware = "def middleware(call_next): return call_next()\n"
    app = make_app({"users/[id]/route.py": ROUTE, "users/middleware.py": middleware})
    app.testing = True
    add_translation(Path(app.root_path, "translations"), "de", "No such user.", "Unbekannt.")
    Babel(app, locale_selector=lambda: request.accept_languages.best_match(["en", "de"]))
    client = app.test_client()
    english, german = ("No such user.", "March"), ("Unbekannt.", "März")
    for language, (message, month) in [("en", english), ("de", german), ("en", english)]:
        headers = {"Accept-Language": language}
        assert client.get("/api/users/3", headers=headers).json["detail"] == message
        page = client.get("/api/users/3", headers=headers | {"Accept": "text/html"})
        assert f"<p>{message}</p>" in page.text
        response = client.post("/api/users/3", headers=headers)
        assert response.json == {"message": message, "day": month}
