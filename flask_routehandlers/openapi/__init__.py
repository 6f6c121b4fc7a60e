"""OpenAPI: a document of the routes in a folder, and a page that shows it.

Both are handlers. In ``app/api/openapi.json/route.py``::

    from flask_routehandlers.openapi import document

    GET = document
"""

from .page import docs
from .serving import document

__all__ = ["docs", "document"]
