"""File-system routing for Flask APIs: each ``route.py`` in a folder tree becomes a view."""

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
from .revalidation import revalidate_path, revalidate_tag
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
    "CallNext",
    "Handler",
    "Middleware",
    "Problem",
    "RevalidationError",
    "RouteHandlers",
    "RouteHandlersError",
    "RouteHandlersWarning",
    "RouteImportError",
    "RouteParams",
    "RouteTreeError",
    "StaticRequestError",
    "StoreError",
    "revalidate_path",
    "revalidate_tag",
]
