"""Find handlers that no request can reach. What is said is proved, not guessed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property, lru_cache

from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.routing import BaseConverter, Map, RequestRedirect, Rule
from werkzeug.test import create_environ

from ...handlers.endpoint import Endpoint
from ...mount import Mount, Route
from ...routing.matching import places
from ...routing.prefix import prefix_parameters
from ...routing.rules import RouteRule
from ...tree.segments import CatchAll, Dynamic, Parameter, Static
from ..explain import base_url, matches_alone

#: How many URLs are tried for each rule before nothing is said about it.
ATTEMPTS = 3


def find_hidden(app: Flask, mount: Mount) -> Iterator[tuple[Route, Rule, list[str]]]:
    """Handlers whose every URL another rule of the app answers.

    A URL of each route is made up, and the app is asked which rule answers it. If it is another
    rule, and that rule matches every URL of the route, no request comes through: which of two
    rules is tried first does not depend on the URL.

    :returns: the route, the rule that hides it, and the methods whose handlers are hidden.
    """
    samples = _Samples(app)
    for route in mount.routes:
        if isinstance(route.view, Endpoint):
            # Rules have no hash, and some that differ are equal.
            hidden: dict[int, tuple[Rule, list[str]]] = {}
            for method in route.view.methods:
                hiding = samples.find_hiding(route, method)
                if hiding is not None:
                    hidden.setdefault(id(hiding), (hiding, []))[1].append(method)
            for rule, methods in hidden.values():
                yield route, rule, methods


class _Samples:
    """URLs of an app's routes, and which rules answer them."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        request = app.request_class(create_environ(base_url=base_url(app)))
        adapter = app.create_url_adapter(request)
        assert adapter is not None
        self.adapter = adapter
        self.text_for = lru_cache(None)(self._text_for)
        self.prefix_for = lru_cache(None)(self._prefix_for)

    @cached_property
    def branches(self) -> list[Rule]:
        """The rules that redirect a URL to the one with a slash at its end."""
        return [rule for rule in self.app.url_map.iter_rules() if rule.is_branch]

    def find_hiding(self, route: Route, method: str) -> Rule | None:
        """The rule that keeps every request with a method from a route."""
        hiding: Rule | None = None
        for rule in route.rules:
            hiding = self.find_hiding_of(route, rule, method)
            if hiding is None:
                return None
        return hiding

    def find_hiding_of(self, route: Route, rule: RouteRule, method: str) -> Rule | None:
        for attempt in range(ATTEMPTS):
            path = self.path_for(rule, attempt)
            if path is None:
                continue
            paths = [path] if rule.strict_slashes or path == "/" else [path, f"{path}/"]
            answers = [self.answer(path, method) for path in paths]
            if any(answer is own for answer in answers for own in route.rules):
                return None
            if not matches_alone(self.app, route, path):
                continue
            first = answers[0]
            if first == "redirect":
                first = next(
                    (b for b in self.branches if self.redirects(b, rule, path, method)), None
                )
            if isinstance(first, Rule) and covers(first, rule):
                return first
        return None

    def answer(self, path: str, method: str) -> Rule | str | None:
        """The rule that answers, ``"redirect"``, or ``None`` for an error."""
        try:
            return self.adapter.match(path, method, return_rule=True)[0]
        except RequestRedirect:
            return "redirect"
        except HTTPException:
            return None

    def redirects(self, branch: Rule, rule: RouteRule, path: str, method: str) -> bool:
        """Whether a rule redirects a path before another one that matches it is tried."""
        if not covers(branch, rule):
            return False
        url_map = self.app.url_map
        both = [one.empty() for one in url_map.iter_rules() if one is branch or one is rule]
        alone = Map(
            both,
            default_subdomain=url_map.default_subdomain,
            converters=url_map.converters,
            strict_slashes=url_map.strict_slashes,
        )
        try:
            alone.bind("localhost").match(path, method)
        except RequestRedirect:
            return True
        return False

    def path_for(self, rule: RouteRule, attempt: int) -> str | None:
        """A decoded path that a rule matches; ``None`` if none comes to mind."""
        path = self.prefix_for(rule.prefix, attempt)
        for segment in rule.segments:
            match segment:
                case Static(text=text):
                    pieces: list[str | None] = [text]
                case Dynamic(pieces=parts):
                    pieces = [
                        self.text_for(part.converter, attempt)
                        if isinstance(part, Parameter)
                        else part
                        for part in parts
                    ]
                case CatchAll():
                    pieces = [f"zq{attempt}/x7/qz"]
                case _:
                    pieces = []
            if path is None or None in pieces:
                return None
            path += f"/{''.join(piece or '' for piece in pieces)}"
        return "/" if path == "" else path

    def _text_for(self, name: str | None, attempt: int) -> str | None:
        url_map = self.app.url_map
        return _fitting(url_map.converters[name or "default"](url_map), attempt)

    def _prefix_for(self, prefix: str, attempt: int) -> str | None:
        texts = {
            name: _fitting(converter, attempt)
            for name, converter in prefix_parameters(self.app.url_map, prefix).items()
        }
        if None in texts.values():
            return None
        return re.sub(r"<(?:[^<>]*:)?(\w+)>", lambda match: texts[match[1]] or "", prefix)


def _fitting(converter: BaseConverter, attempt: int) -> str | None:
    """A text that a converter takes, and that is hardly the name of a folder."""
    n = attempt + 3
    own = sorted(getattr(converter, "items", ()))  # those of Werkzeug's AnyConverter
    texts = [f"zq{n}x", f"7{n}", f"7.{n}", f"0f8fad5b-d9cb-469f-a165-7086772895{n}{n}",
             "zqx"[attempt:], f"zq{n}", "qzx"[attempt], f"ZQ{n}", "QZX"[attempt], f"{n}",
             f"20{n}1-02-0{n}", "zqxj", f"zq-{n}", *own[attempt:], *own]  # fmt: skip
    return next((text for text in texts if re.fullmatch(converter.regex, text)), None)


def _any_segment() -> str:
    rule = Rule("/<any>")
    Map([rule])
    return places(rule)[-1][0]


#: The place of what matches any segment.
_ANY = _any_segment()


def covers(other: Rule, rule: RouteRule) -> bool:
    """Whether a rule matches every path that the rule of a route matches.

    Where that cannot be told, between regular expressions that are not the same, it is ``False``.
    """
    theirs, ours = places(other), places(rule)
    takes_rest = theirs[-1][0] == "*"
    if other.strict_slashes and not rule.strict_slashes and not takes_rest:
        return False
    if (not takes_rest and len(theirs) != len(ours)) or len(theirs) > len(ours):
        return False
    for (content, is_static, is_final), (text, is_text, is_rest) in zip(
        theirs, ours, strict=False
    ):
        if content == "*":
            continue
        if (content, is_static, is_final) == (text, is_text, is_rest):
            continue
        if is_static or is_final or is_rest:
            return False
        if not (re.match(content, text) if is_text else content == _ANY):
            return False
    return not takes_rest or all(text for text, is_text, _ in ours[len(theirs) - 1 :])
