"""File-system routing for Flask APIs: each ``route.py`` in a folder tree becomes a view.

What is imported here is the public interface, with :mod:`flask_routehandlers.testing` and the
handlers of :mod:`flask_routehandlers.openapi`; every other module is private. Importing the
package imports none of the libraries of its extras, and no module that only static handlers or
OpenAPI need.
"""

from .contracts.invalid import InvalidRequest, InvalidValue
from .contracts.markers import (
    Bearer,
    Body,
    Cookie,
    Created,
    Form,
    Header,
    NoContent,
    Query,
    Scheme,
)
from .errors import (
    Problem,
    RevalidationError,
    RouteHandlersError,
    RouteHandlersWarning,
    RouteImportError,
    RouteTreeError,
    StaticRequestError,
    StoreError,
)
from .extension import RouteHandlers
from .problem_details import problem
from .revalidation import revalidate_path, revalidate_tag
from .running.after import after
from .running.modes import async_to_sync, run_async
from .typing import (
    AsyncCallNext,
    AsyncMiddleware,
    CallNext,
    Handler,
    Middleware,
    RouteParams,
)

__all__ = [
    "AsyncCallNext",
    "AsyncMiddleware",
    "Bearer",
    "Body",
    "CallNext",
    "Cookie",
    "Created",
    "Form",
    "Handler",
    "Header",
    "InvalidRequest",
    "InvalidValue",
    "Middleware",
    "NoContent",
    "Problem",
    "Query",
    "RevalidationError",
    "RouteHandlers",
    "RouteHandlersError",
    "RouteHandlersWarning",
    "RouteImportError",
    "RouteParams",
    "RouteTreeError",
    "Scheme",
    "StaticRequestError",
    "StoreError",
    "after",
    "async_to_sync",
    "problem",
    "revalidate_path",
    "revalidate_tag",
    "run_async",
]
