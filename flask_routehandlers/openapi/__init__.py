"""OpenAPI: a document of the routes in a folder, and a page that shows it.

Both are handlers. In ``app/api/openapi.json/route.py``::

    from flask_routehandlers.openapi import document

    GET = document

:mod:`~.serving` and :mod:`~.page` answer their requests. :mod:`~.document` puts a document
    together, from what :mod:`~.operations` collects about each method of each route. The other
    modules make one kind of object each (paths, parameters, responses, schemas, security schemes),
    check patches, or compare two documents. ``build`` imports from here only for a tree that uses
    OpenAPI, so that other apps do not pay for it.
"""

from .page import docs
from .serving import document

__all__ = ["docs", "document"]
