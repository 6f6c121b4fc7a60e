"""File-system routing for Flask APIs: each ``route.py`` in a folder tree becomes a view."""

from .errors import (
    Problem,
    RouteHandlersError,
    RouteHandlersWarning,
    RouteImportError,
    RouteTreeError,
)
from .extension import RouteHandlers
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
    "RouteHandlers",
    "RouteHandlersError",
    "RouteHandlersWarning",
    "RouteImportError",
    "RouteParams",
    "RouteTreeError",
]
