"""/api/openapi.json: the OpenAPI document of the API."""

from __future__ import annotations

from flask_routehandlers.openapi import document

openapi = {
    "info": {
        "title": "Bookmarks",
        "version": "1.0",
        "description": "Bookmarks with tags, feeds, a signed webhook and an event stream.",
    }
}

GET = document
