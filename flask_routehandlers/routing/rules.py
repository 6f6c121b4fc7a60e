"""Routes as Werkzeug rules.

Here, in ``prefixes`` and in ``places`` is all that is taken from Werkzeug's private names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from threading import RLock
from typing import Any

from werkzeug.routing import BaseConverter, Map, Rule
from werkzeug.routing.rules import RulePart, Weighting

from .._forks import renew_after_fork
from ..tree.segments import CatchAll, Dynamic, Parameter, Segment, Static
from .converters import CatchAllConverter, clean_segment

_NO_WEIGHT = Weighting(0, [], 0, [])
_SLASH = (False, "/")


class _Compiling:
    """What holds ``lock`` compiles: in Python 3.11, threads that compile syntax trees at one time
    can get a SystemError."""

    def __init__(self) -> None:
        self.after_fork()
        renew_after_fork(self)

    def after_fork(self) -> None:
        # Reentrant, for a finalizer that builds a URL in the thread that it interrupts.
        self.lock = RLock()


_compiling = _Compiling()


class Methods(frozenset[str]):
    """Methods of a rule that lets the path alone decide: every method is in it, but listed are
    the real ones, for ``flask routes`` and for extensions that read the URL map."""

    # A type written in C, which says yes to every method, is quicker than a function.
    __contains__ = staticmethod(bool)  # pyright: ignore[reportAssignmentType]


@dataclass
class CleanPart(RulePart):
    """A part that matches clean segments only; ``unguarded`` is its content without that."""

    unguarded: str


class _EmptyList(Mapping[str, list[str]]):
    """Werkzeug's ``defaults`` for the bare rule of an optional catch-all: a new list each time."""

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


class RouteRule(Rule):
    """A rule made of segments instead of a string, which is for display only.

    :param string: how the rule is shown, from :func:`rule_string`.
    :param prefix: the part of the string in front of the segments; Werkzeug reads it.
    :param segments: the segments behind the prefix.
    """

    # What the base class sets later has a place of its own: more attributes than Python can
    # share between the dicts of all rules would cost 1.5 kB each.
    __slots__ = ("_build", "_build_unknown", "prefix", "segments")

    provide_automatic_options = False

    def __init__(
        self, string: str, *, prefix: str = "", segments: tuple[Segment, ...] = (), **options: Any
    ) -> None:
        methods = options.pop("methods", None)
        options["merge_slashes"] = False
        super().__init__(string, **options)
        self.prefix = prefix
        self.segments = segments
        self.methods = methods

    def get_empty_kwargs(self) -> Mapping[str, Any]:
        options = dict(super().get_empty_kwargs())
        options.update(defaults=self.defaults, prefix=self.prefix, segments=self.segments)
        return options

    def bind(self, map: Map, rebind: bool = False) -> None:
        # Bound once while the tree is checked, and again by Map.add: compile only once.
        if self.map is not map or rebind:
            super().bind(map, rebind)

    def suitable_for(self, values: Mapping[str, Any], method: str | None = None) -> bool:
        for name in self.defaults or ():
            if values.get(name) == ():
                values = {**values, name: []}
        return super().suitable_for(values, method)

    def _parse_rule(self, rule: str) -> Iterable[RulePart]:
        if rule != self.rule:  # the subdomain
            yield from super()._parse_rule(rule)
            return
        if "<" in self.prefix:
            for part in super()._parse_rule(self.prefix):
                count = -part.weight.number_argument_weights
                yield part if part.static else self._clean_part(part.content, part.weight, count)
        else:
            first, *texts = self.prefix.split("/")
            yield _static_part(first)
            for text in texts:
                self._trace += _SLASH, (False, text)
                yield _static_part(text)
        for segment in self.segments:
            self._trace.append(_SLASH)
            yield self._part(segment)
        if rule == "/":
            self._trace.append(_SLASH)
            yield _static_part("")

    def _part(self, segment: Segment) -> RulePart:
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
        """A part for the parameters that were added last."""
        guard = clean_segment(list(self._converters.values())[-count:])
        return _clean_part(guard, content, weight[0], tuple(weight[1]), tuple(weight[3]))

    def _group(self, name: str, converter: BaseConverter, number: int) -> str:
        self._trace.append((True, name))
        self._converters[name] = converter
        self.arguments.add(name)
        return f"(?P<__werkzeug_{number}>{converter.regex})"

    def _compile_builder(self, append_unknown: bool = True) -> Any:
        # Compiling two builders is most of what adding a rule costs, and few URLs are built.
        return _build_unknown_on_first_use if append_unknown else _build_on_first_use

    def _compile_now(self, append_unknown: bool) -> Any:
        with _compiling.lock:
            return super()._compile_builder(append_unknown).__get__(self, None)


def _build_on_first_use(self: RouteRule, /, **values: Any) -> tuple[str, str]:
    self._build = self._compile_now(append_unknown=False)
    return self._build(**values)


def _build_unknown_on_first_use(self: RouteRule, /, **values: Any) -> tuple[str, str]:
    self._build_unknown = self._compile_now(append_unknown=True)
    return self._build_unknown(**values)


@lru_cache(maxsize=1024)
def _static_part(text: str) -> RulePart:
    """The same object for the same text, since a tree repeats the names of its folders."""
    return RulePart(text, final=False, static=True, suffixed=False, weight=_NO_WEIGHT)


@lru_cache(maxsize=1024)
def _clean_part(
    guard: str,
    content: str,
    literal: int,
    literals: tuple[tuple[int, int], ...],
    weights: tuple[int, ...],
) -> CleanPart:
    """The same object for segments that match the same, whatever their parameters are called."""
    weight = Weighting(literal, list(literals), -len(weights), list(weights))
    return CleanPart(
        f"{guard}{content}",
        final=False,
        static=False,
        suffixed=False,
        weight=weight,
        unguarded=content,
    )


#: One object for the methods that many routes have in common.
_methods: Callable[[tuple[str, ...]], Methods] = lru_cache(1024)(Methods)


def make_rules(
    prefix: str, segments: tuple[Segment, ...], endpoint: str, methods: Iterable[str]
) -> tuple[RouteRule, ...]:
    """The rules of one route: two for an optional catch-all, one for any other.

    :param prefix: ``""`` or ``/api``, in Werkzeug's spelling of rules.
    :param segments: the segments that show in the URL.
    :param methods: the methods to list.
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
            methods=_methods(tuple(methods)),
            **options,
        )

    last = segments[-1] if segments else None
    if isinstance(last, CatchAll) and last.optional:
        return rule(segments[:-1], defaults=_EmptyList(last.name)), rule(segments)
    return (rule(segments),)


def rule_string(prefix: str, segments: Iterable[Segment]) -> str:
    """A rule as Flask would spell it: ``/users/<int:id>``."""
    return prefix + "".join(f"/{_display(segment)}" for segment in segments) or "/"


def _display(segment: Segment) -> str:
    if isinstance(segment, Static):
        return segment.text
    if isinstance(segment, CatchAll):
        return f"<path:{segment.name}>"
    pieces = segment.pieces if isinstance(segment, Dynamic) else ()
    return "".join(
        piece
        if isinstance(piece, str)
        else f"<{piece.converter}:{piece.name}>"
        if piece.converter
        else f"<{piece.name}>"
        for piece in pieces
    )
