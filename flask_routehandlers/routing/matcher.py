"""Match the rules of a tree by the path alone: first the path, then the method.

Werkzeug passes over a rule that lacks the method of a request, and tries less specific rules. With
``users/me`` (GET) and ``users/[id]`` (DELETE), DELETE /users/me would run ``users/[id]`` with
"me" as the id. The matcher here sees no methods of a tree's rules, so the most specific file gets
every request; the rules themselves have their real methods, for everyone who reads the URL map.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Any

from werkzeug.routing import Map, Rule
from werkzeug.routing.exceptions import NoMatch
from werkzeug.routing.matcher import StateMachineMatcher

#: The method with which ``MapAdapter.allowed_methods`` asks for the methods of a path. A request
#: with this method gets a 405 from Werkzeug.
_WHICH_METHODS = "--"


class PathRule(Rule):
    """A rule that is matched by its path alone."""

    def get_rules(self, map: Map) -> Iterator[Rule]:
        """Yield the rule to a map that adds it, and see that the map can match it."""
        if not isinstance(map._matcher, PathMatcher):
            map._matcher = PathMatcher(map._matcher)
        yield self


class PathMatcher(StateMachineMatcher):
    """Werkzeug's matcher, for maps with :class:`PathRule`.

    :param matcher: the matcher that it replaces, with its rules.
    """

    def __init__(self, matcher: StateMachineMatcher) -> None:
        super().__init__(matcher.merge_slashes)
        self._root = matcher._root

    def add(self, rule: Rule) -> None:
        """Add a rule that is bound to the map."""
        if isinstance(rule, PathRule):
            super().add(_WithoutMethods(rule))  # type: ignore[arg-type]
        else:
            super().add(rule)

    def match(
        self, domain: str, path: str, method: str, websocket: bool
    ) -> tuple[Rule, MutableMapping[str, Any]]:
        """Return the rule of a path, with the values of its parameters."""
        found: Any
        found, values = super().match(domain, path, method, websocket)
        if not isinstance(found, _WithoutMethods):
            return found, values
        if method == _WHICH_METHODS:
            raise NoMatch(set(found.rule.methods or ()), False)
        return found.rule, values


class _WithoutMethods:
    """A :class:`PathRule` for the matcher, with the attributes that it reads."""

    __slots__ = ("_converters", "_parts", "defaults", "rule", "strict_slashes")

    methods = None
    websocket = False
    merge_slashes = False
    alias = False

    def __init__(self, rule: PathRule) -> None:
        self.rule = rule
        self.defaults = rule.defaults
        self.strict_slashes = rule.strict_slashes
        self._converters = rule._converters
        self._parts = rule._parts
