"""Routes as Werkzeug rules. All that is taken from Werkzeug's private names is taken here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote
from uuid import UUID

from werkzeug.routing import BaseConverter, Map, Rule
from werkzeug.routing.converters import (
    FloatConverter,
    IntegerConverter,
    PathConverter,
    UnicodeConverter,
    UUIDConverter,
)
from werkzeug.routing.rules import RulePart, Weighting

from .binding import LIST_OF_STR
from .segments import CatchAll, Dynamic, Parameter, Segment, Static

_NO_WEIGHT = Weighting(0, [], 0, [])
_TYPES: dict[type, object] = {
    UnicodeConverter: str,
    IntegerConverter: int,
    FloatConverter: float,
    UUIDConverter: UUID,
}


class CatchAllConverter(BaseConverter):
    """One segment or more, as a list of str."""

    part_isolating = False
    weight = 200

    def __init__(self, map: Map, optional: bool = False) -> None:
        super().__init__(map)
        # Werkzeug leaves a trailing slash to rules that end with one segment.
        slash = "" if map.strict_slashes else "/?"
        self.regex = f"[^/]+(?:/[^/]+)*{slash}"
        if optional:
            self.weight = 300

    def to_python(self, value: str) -> list[str]:
        return value.rstrip("/").split("/")

    def to_url(self, value: Any) -> str:
        if not isinstance(value, (list, tuple)):
            raise TypeError(
                f"A catch-all takes a list or tuple of segments, not {value!r}. "
                f"Did you mean {[part for part in str(value).split('/') if part]!r}?"
            )
        segments = [str(segment) for segment in value]
        if not segments:
            raise ValueError("A catch-all takes at least one segment; the list is empty.")
        for segment in segments:
            if segment in ("", ".", "..") or "/" in segment:
                raise ValueError(
                    f"{segment!r} cannot be a segment of a URL: it would lead somewhere else."
                )
        # safe = https://url.spec.whatwg.org/#url-path-segment-string, but the slash
        return "/".join(quote(segment, safe="!$&'()*+,:;=@") for segment in segments)


class Methods(frozenset[str]):
    """Methods of a rule that lets the path alone decide: every method is in it, but listed are
    the real ones, for ``flask routes`` and for extensions that read the URL map."""

    # A type written in C, which says yes to every method, is quicker than a function.
    __contains__ = staticmethod(bool)


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

    provide_automatic_options = False

    def __init__(
        self, string: str, *, prefix: str = "", segments: Sequence[Segment] = (), **options: Any
    ) -> None:
        methods = options.pop("methods", None)
        options["merge_slashes"] = False
        super().__init__(string, **options)
        self.prefix = prefix
        self.segments = tuple(segments)
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
        if self.prefix:
            yield from super()._parse_rule(self.prefix)
        else:
            yield RulePart("", final=False, static=True, suffixed=False, weight=_NO_WEIGHT)
        for segment in self.segments:
            self._trace.append((False, "/"))
            yield self._part(segment)
        if rule == "/":
            self._trace.append((False, "/"))
            yield RulePart("", final=False, static=True, suffixed=False, weight=_NO_WEIGHT)

    def _part(self, segment: Segment) -> RulePart:
        if isinstance(segment, Static):
            self._trace.append((False, segment.text))
            return RulePart(
                segment.text, final=False, static=True, suffixed=False, weight=_NO_WEIGHT
            )
        if isinstance(segment, CatchAll):
            catch_all = CatchAllConverter(self.map, segment.optional)
            content = self._group(segment.name, catch_all, 0)
            weight = Weighting(0, [], -1, [catch_all.weight])
            return RulePart(
                rf"{content}\Z", final=True, static=False, suffixed=False, weight=weight
            )
        content, literal = "", 0
        weights: list[int] = []
        for piece in segment.pieces if isinstance(segment, Dynamic) else ():
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
        return RulePart(rf"{content}\Z", final=False, static=False, suffixed=False, weight=weight)

    def _group(self, name: str, converter: BaseConverter, number: int) -> str:
        self._trace.append((True, name))
        self._converters[name] = converter
        self.arguments.add(name)
        return f"(?P<__werkzeug_{number}>{converter.regex})"

    def _compile_builder(self, append_unknown: bool = True) -> Any:
        # Compiling two builders is most of what adding a rule costs, and few URLs are built.
        return _build_unknown_on_first_use if append_unknown else _build_on_first_use

    def _compile_now(self, append_unknown: bool) -> Any:
        return super()._compile_builder(append_unknown).__get__(self, None)


def _build_on_first_use(self: RouteRule, /, **values: Any) -> tuple[str, str]:
    self._build = self._compile_now(append_unknown=False)
    return self._build(**values)


def _build_unknown_on_first_use(self: RouteRule, /, **values: Any) -> tuple[str, str]:
    self._build_unknown = self._compile_now(append_unknown=True)
    return self._build_unknown(**values)


def make_rules(
    prefix: str, segments: Sequence[Segment], endpoint: str, methods: Iterable[str]
) -> list[RouteRule]:
    """The rules of one route: two for an optional catch-all, one for any other.

    :param prefix: ``""`` or ``/api``, in Werkzeug's spelling of rules.
    :param segments: the segments that show in the URL.
    :param methods: the methods to list.
    """

    def rule(segments: Sequence[Segment], **options: Any) -> RouteRule:
        string = rule_string(prefix, segments)
        if string == "/":
            # An empty PATH_INFO is the root too; never redirect to it.
            options["strict_slashes"] = False
        return RouteRule(
            string,
            prefix=prefix,
            segments=segments,
            endpoint=endpoint,
            methods=Methods(methods),
            **options,
        )

    last = segments[-1] if segments else None
    if isinstance(last, CatchAll) and last.optional:
        return [rule(segments[:-1], defaults=_EmptyList(last.name)), rule(segments)]
    return [rule(segments)]


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


def prefix_parameters(url_map: Map, prefix: str) -> dict[str, BaseConverter]:
    """The parameters of a URL prefix, ``/<lang>/api``, with their converters.

    :raises LookupError: for a converter that the map does not know.
    :raises ValueError: for a prefix that is no rule.
    """
    if not prefix:
        return {}
    rule = Rule(prefix)
    rule.bind(url_map)
    return rule._converters


def value_type(converter: BaseConverter | type[BaseConverter]) -> object:
    """The type of a converter's values, or ``None`` for a converter of the app's own."""
    kind = converter if isinstance(converter, type) else type(converter)
    return _TYPES.get(kind)


def segment_types(url_map: Map, segment: Segment) -> dict[str, object]:
    """The type of each parameter of a segment; ``None`` where it is not known."""
    if isinstance(segment, CatchAll):
        return {segment.name: LIST_OF_STR}
    if not isinstance(segment, Dynamic):
        return {}
    return {
        parameter.name: value_type(url_map.converters[parameter.converter or "default"])
        for parameter in segment.parameters
    }


def refuse_converter(url_map: Map, parameter: Parameter) -> tuple[str, str] | None:
    """Why a converter cannot be used in a folder name, and the cure; ``None`` if it can."""
    name = parameter.converter or "default"
    if name not in url_map.converters:
        known = ", ".join(sorted(set(url_map.converters) - {"default"}))
        return (
            f"The app has no converter {name!r}.",
            f"It has {known}. Add your own to app.url_map.converters before RouteHandlers.",
        )
    try:
        converter = url_map.converters[name](url_map)
    except Exception as error:
        return (
            f"The converter {name!r} cannot be made without arguments: {error}.",
            "Register a converter of your own that needs none.",
        )
    if not converter.part_isolating:
        return (
            f"The converter {name!r} can match several segments.",
            f"Write [...{parameter.name}] for a catch-all.",
        )
    if re.fullmatch(converter.regex, ""):
        return (
            f"The converter {name!r} also matches nothing, so it would answer other URLs.",
            "Register a converter of your own whose regex needs at least one character.",
        )
    return None


def places(rule: Rule) -> tuple[tuple[str, bool, bool], ...]:
    """What a bound rule matches, comparable between rules: equal places are equal URLs."""
    return tuple(
        ("*" if _takes_the_rest(part) else part.content, part.static, part.final)
        for part in rule._parts
    )


def _takes_the_rest(part: RulePart) -> bool:
    regexes = (PathConverter.regex, "[^/]+(?:/[^/]+)*", "[^/]+(?:/[^/]+)*/?")
    return part.final and part.content in {rf"(?P<__werkzeug_0>{regex})\Z" for regex in regexes}
