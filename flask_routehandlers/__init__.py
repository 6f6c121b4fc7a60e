"""File-system routing for Flask APIs: each ``route.py`` in a folder tree becomes a view."""

from .errors import (
    Problem,
    RouteHandlersError,
    RouteHandlersWarning,
    RouteImportError,
    RouteTreeError,
)
from .extension import RouteHandlers

__all__ = [
    "Problem",
    "RouteHandlers",
    "RouteHandlersError",
    "RouteHandlersWarning",
    "RouteImportError",
    "RouteTreeError",
]
