"""/api/docs: the document as a page, where requests can be tried."""

from __future__ import annotations

from flask_routehandlers.openapi import docs

GET = docs
