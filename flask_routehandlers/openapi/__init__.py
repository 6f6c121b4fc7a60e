"""OpenAPI: a document of the routes in a folder, and a page that shows it.

Both are handlers. In ``app/api/openapi.json/route.py``::

    from flask_routehandlers.openapi import document

    GET = document

``serving`` and ``page`` answer their requests. ``document`` puts a document together, from what
``operations`` collects about each method of each route; ``paths``, ``requests``, ``responses``,
``schemas`` and ``security`` make one kind of object each. ``patches`` are checked at start-up by
``patch_problems``, called by ``checking``, and whole documents by ``validation`` for the command
``check``. ``differences`` and ``schema_differences`` compare two documents.

``build`` imports from here only for a tree that uses OpenAPI, so that other apps do not pay for
it.
"""

from .page import docs
from .serving import document

__all__ = ["docs", "document"]
