"""Routes as Werkzeug rules.

A rule for a route file is made of segments instead of a string, so that any text can be in a
folder name. Its parts are the ones that Werkzeug would compile from a string, with two
differences: segments with parameters match clean text only, and weights give the precedence of
segments. Werkzeug's matcher finds the rule and builds its URLs as usual.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from threading import RLock
from typing import Any
from urllib.parse import unquote

from werkzeug.routing import BaseConverter, Map
from werkzeug.routing.rules import RulePart, Weighting

from .._forks import PerProcess
from ..tree.segments import CatchAll, Dynamic, Parameter, Segment, Static
from .converters import CatchAllConverter, clean_segment
from .matcher import PathRule

#: A subdomain. Werkzeug checks none that it builds: after a slash it would be another host's path.
_HOST = re.compile(r"[a-z\d_-]+(?:\.[a-z\d_-]+)*", re.I)

_NO_WEIGHT = Weighting(0, [], 0, [])
_SLASH = (False, "/")


#: The lock that compiling holds: in Python 3.11, threads that compile syntax trees concurrently
#: can get a SystemError. It is reentrant, for a finalizer that builds a URL in the thread that it
#: interrupts.
_compiling = PerProcess(RLock)


@dataclass
class CleanPart(RulePart):
    """A part that matches clean segments only.

    :param unguarded: its regular expression without that condition.
    """

    unguarded: str


class _EmptyList(Mapping[str, list[str]]):
    """The ``defaults`` of an optional catch-all without a segment: a new list at each access.

    :param name: the name of the parameter.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def __getitem__(self, key: str) -> list[str]:
        if key != self.name:
            raise KeyError(key)
        return []

    def __iter__(self) -> Iterator[str]:
        return iter((self.name,))

    def __len__(self) -> int:
        return 1


class RouteRule(PathRule):
    """A rule made of segments. Its string is for display only.

    :param string: the rule for display, from :func:`rule_string`.
    :param prefix: the part of the string before the segments; Werkzeug parses it.
    :param segments: the segments after the prefix.
    :param options: those of :class:`werkzeug.routing.Rule`.
    """

    # Slots for attributes that the base class sets late: more attributes than the dicts of all
    # rules can share would cost 1.5 kB for each rule.
    __slots__ = ("_build", "_build_unknown", "prefix", "provide_automatic_options", "segments")

    def __init__(
        self, string: str, *, prefix: str = "", segments: tuple[Segment, ...] = (), **options: Any
    ) -> None:
        methods = options.pop("methods", None)
        options["merge_slashes"] = False
        super().__init__(string, **options)
        if methods is not None:
            self.methods = set(methods)  # Werkzeug would copy the strings too
        self.prefix = prefix
        self.segments = segments

    @property
    def pieces(self) -> list[tuple[bool, str]]:
        """The texts and the names of parameters in its path, each with whether it is a name."""
        return self._trace[self._trace.index((False, "|")) + 1 :]

    @property
    def converters(self) -> Mapping[str, BaseConverter]:
        """The converters of its parameters, those of the prefix included, once it is bound."""
        return self._converters

    def get_empty_kwargs(self) -> Mapping[str, Any]:
        """Return the arguments for a copy of the rule."""
        options = dict(super().get_empty_kwargs())
        options.update(defaults=self.defaults, prefix=self.prefix, segments=self.segments)
        return options

    def bind(self, map: Map, rebind: bool = False) -> None:
        """Bind the rule to a map.

        It is bound when the tree is checked, and again by ``Map.add``; it is compiled once.
        """
        if self.map is not map or rebind:
            super().bind(map, rebind)
            if not self._parts[0].content:
                self._parts[0] = _static_part("")  # the subdomain that most rules have

    def suitable_for(self, values: Mapping[str, Any], method: str | None = None) -> bool:
        """Return whether a URL can be built from these values. An empty tuple is an empty list."""
        for name in self.defaults or ():
            if values.get(name) == ():
                values = {**values, name: []}
        return super().suitable_for(values, method)

    def build(
        self, values: Mapping[str, Any], append_unknown: bool = True
    ) -> tuple[str, str] | None:
        """Build the host and the path of a URL.

        :raises ValueError: if no request for the URL would match the rule.
        """
        built = super().build(values, append_unknown)
        if built is not None and self._converters:
            host, path = built[0], built[1].partition("?")[0]
            place = path
            if not self._parts[0].static:
                place = f"{path} on the subdomain {host!r}"
            if not (self._matches_host(host) and self._matches(path)):
                given = {name: values[name] for name in self._converters if name in values}
                raise ValueError(
                    f"{self.rule} has no URL for {given}: it would be {place}, which the rule "
                    "does not match."
                )
        return built

    def _matches_host(self, host: str) -> bool:
        """Return whether a subdomain, built from the rule, is one that can be asked for."""
        part = self._parts[0]
        return part.static or bool(_HOST.fullmatch(host) and re.match(part.content, host))

    def _matches(self, path: str) -> bool:
        """Return whether a percent-encoded path, built from the rule, matches it."""
        texts = path.split("/")
        parts = self._parts[1:]  # without the one for the subdomain
        for number, part in enumerate(parts):
            if part.final:
                return re.match(part.content, unquote("/".join(texts[number:]))) is not None
            if not part.static and not re.match(part.content, unquote(texts[number])):
                return False
        return len(texts) == len(parts)

    def _parse_rule(self, rule: str) -> Iterable[RulePart]:
        if rule != self.rule:  # the subdomain
            yield from super()._parse_rule(rule)
            return
        yield from self._parse_prefix()
        for segment in self.segments:
            self._trace.append(_SLASH)
            yield self._part(segment)
        if rule == "/":
            self._trace.append(_SLASH)
            yield _static_part("")

    def _parse_prefix(self) -> Iterable[RulePart]:
        """Return the parts of the prefix, which is a rule in Werkzeug's syntax."""
        if "<" in self.prefix:
            for part in super()._parse_rule(self.prefix):
                if part.static:
                    yield part
                else:
                    count = -part.weight.number_argument_weights
                    yield self._clean_part(part.content, part.weight, count)
            return
        first, *texts = self.prefix.split("/")
        yield _static_part(first)
        for text in texts:
            self._trace += _SLASH, (False, text)
            yield _static_part(text)

    def _part(self, segment: Segment) -> RulePart:
        """Return the part of a segment, and add the segment to the trace for building URLs."""
        match segment:
            case Static(text=text):
                self._trace.append((False, text))
                return _static_part(text)
            case CatchAll(name=name, optional=optional):
                catch_all = CatchAllConverter(self.map, optional)
                content = rf"{self._group(name, catch_all, 0)}\Z"
                weight = Weighting(0, [], -1, [catch_all.weight])
                return RulePart(content, final=True, static=False, suffixed=False, weight=weight)
            case Dynamic(pieces=pieces):
                return self._dynamic_part(pieces)
        raise TypeError(f"{segment} is not a part of a URL.")

    def _dynamic_part(self, pieces: Iterable[str | Parameter]) -> RulePart:
        """Return the part of a segment with parameters.

        Werkzeug tries parts of less weight first: more text, then a converter, then none.
        """
        content, literal = "", 0
        weights: list[int] = []
        for piece in pieces:
            if isinstance(piece, str):
                self._trace.append((False, piece))
                content += re.escape(piece)
                literal += len(piece)
                continue
            converter = self.get_converter(piece.name, piece.converter or "default", (), {})
            content += self._group(piece.name, converter, len(weights))
            # A converter is more specific than none, whatever weight it has given itself.
            weights.append(min(converter.weight, 99) if piece.converter else 100)
        # Negated as in Werkzeug's own parts: the lowest weight is tried first.
        weight = Weighting(-literal, [], -len(weights), weights)
        return self._clean_part(rf"{content}\Z", weight, len(weights))

    def _clean_part(self, content: str, weight: Weighting, count: int) -> CleanPart:
        """Return the part of the parameters that were added last."""
        guard = clean_segment(list(self._converters.values())[-count:])
        return _clean_part(guard, content, weight[0], tuple(weight[1]), tuple(weight[3]))

    def _group(self, name: str, converter: BaseConverter, number: int) -> str:
        """Add a parameter to the rule, and return its group in the part's expression."""
        self._trace.append((True, name))
        self._converters[name] = converter
        self.arguments.add(name)
        return f"(?P<__werkzeug_{number}>{converter.regex})"

    def _compile_builder(self, append_unknown: bool = True) -> Any:
        # Compiling both is most of the cost of adding a rule, and few URLs are built.
        if append_unknown:
            return _build_unknown_on_first_use
        return _build_on_first_use

    def _compile_now(self, append_unknown: bool) -> Any:
        """Return a builder of the base class, bound to this rule."""
        with _compiling.get():
            return super()._compile_builder(append_unknown).__get__(self, None)


# These take the place of the builders of the base class, and replace themselves by the real ones.
def _build_on_first_use(self: RouteRule, /, **values: Any) -> tuple[str, str]:
    self._build = self._compile_now(append_unknown=False)
    return self._build(**values)


def _build_unknown_on_first_use(self: RouteRule, /, **values: Any) -> tuple[str, str]:
    self._build_unknown = self._compile_now(append_unknown=True)
    return self._build_unknown(**values)


@lru_cache(maxsize=1024)
def _static_part(text: str) -> RulePart:
    """Return the same part for the same text, since a tree repeats the names of its folders."""
    return RulePart(text, final=False, static=True, suffixed=False, weight=_NO_WEIGHT)


@lru_cache(maxsize=1024)
def _clean_part(
    guard: str,
    content: str,
    literal: int,
    literals: tuple[tuple[int, int], ...],
    weights: tuple[int, ...],
) -> CleanPart:
    """Return the same part for segments that match the same, whatever their parameters are."""
    weight = Weighting(literal, list(literals), -len(weights), list(weights))
    return CleanPart(
        f"{guard}{content}",
        final=False,
        static=False,
        suffixed=False,
        weight=weight,
        unguarded=content,
    )


def make_rules(
    prefix: str,
    segments: tuple[Segment, ...],
    endpoint: str,
    methods: Iterable[str],
    subdomain: str | None = None,
) -> tuple[RouteRule, ...]:
    """Make the rules of one route: two for an optional catch-all, one for any other.

    :param prefix: ``""`` or ``/api``, in Werkzeug's syntax for rules.
    :param segments: the segments of the URL.
    :param endpoint: its endpoint, blueprint included.
    :param methods: the methods that the route answers.
    :param subdomain: as for :class:`werkzeug.routing.Rule`.
    """

    def rule(segments: tuple[Segment, ...], **options: Any) -> RouteRule:
        string = rule_string(prefix, segments)
        if string == "/":
            # An empty PATH_INFO is the root too; never redirect to it.
            options["strict_slashes"] = False
        return RouteRule(
            string,
            prefix=prefix,
            segments=segments,
            endpoint=endpoint,
            methods=methods,
            subdomain=subdomain,
            **options,
        )

    if segments:
        last = segments[-1]
        if isinstance(last, CatchAll) and last.optional:
            return rule(segments[:-1], defaults=_EmptyList(last.name)), rule(segments)
    return (rule(segments),)


def rule_string(prefix: str, segments: Iterable[Segment]) -> str:
    """Return a rule in Flask's syntax: ``/users/<int:id>``."""
    return prefix + "".join(f"/{_display(segment)}" for segment in segments) or "/"


def _display(segment: Segment) -> str:
    match segment:
        case Static(text=text):
            return text
        case CatchAll(name=name):
            return f"<path:{name}>"
        case Dynamic(pieces=pieces):
            return "".join(map(_display_piece, pieces))
        case _:
            return ""


def _display_piece(piece: str | Parameter) -> str:
    if isinstance(piece, str):
        return piece
    if piece.converter:
        return f"<{piece.converter}:{piece.name}>"
    return f"<{piece.name}>"
