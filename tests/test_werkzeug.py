"""What is taken from Werkzeug's routing beyond its documentation, and that it still holds.

A failure here, in a run against a new Werkzeug, means that ``rules.py`` has to follow it.
"""

from __future__ import annotations

import dataclasses
import gc
import inspect
import os
import random
import re
import signal
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.exceptions import NotFound
from werkzeug.routing import Map, Rule
from werkzeug.routing.converters import PathConverter
from werkzeug.routing.matcher import StateMachineMatcher
from werkzeug.routing.rules import RulePart, Weighting

from flask_routehandlers.routing.rules import (
    RouteRule,
    _compiling,
    make_rules,
    rule_string,
)
from flask_routehandlers.tree.grammar import parse_segment
from flask_routehandlers.tree.segments import Group, Segment
from tests.support import SEEDED, in_child, path_for


def bound(string: str, **options: Any) -> Rule:
    rule = Rule(string, endpoint="theirs", **options)
    Map([rule])
    return rule


def segments(*folders: str) -> tuple[Segment, ...]:
    return tuple(map(parse_segment, folders))


# Names


@pytest.mark.parametrize("name", ["_parse_rule", "_compile_builder", "compile", "bind"])
def test_a_rule_has_the_overridden_methods(name):
    assert inspect.isfunction(getattr(Rule, name, None)), f"Werkzeug has no Rule.{name} any more."


@pytest.mark.parametrize(
    ("name", "kind"), [("_parts", list), ("_trace", list), ("_converters", dict),
                       ("arguments", set), ("strict_slashes", bool), ("merge_slashes", bool)]
)  # fmt: skip
def test_a_bound_rule_has_the_filled_attributes(name, kind):
    found = vars(bound("/a/<b>")).get(name)
    assert isinstance(found, kind), f"Werkzeug's Rule.{name} is {found!r} now."


def test_a_map_has_a_matcher_that_can_be_replaced():
    matcher = Map([Rule("/a", endpoint="a")])._matcher
    assert type(matcher) is StateMachineMatcher
    assert list(inspect.signature(matcher.match).parameters) == [
        "domain",
        "path",
        "method",
        "websocket",
    ]
    assert list(inspect.signature(matcher.add).parameters) == ["rule"]
    assert matcher.merge_slashes is True
    assert "a" in matcher._root.static[""].static[""].static


@pytest.mark.parametrize("name", ["_build", "_build_unknown"])
def test_a_bound_rule_has_two_builders(name):
    found = vars(bound("/a/<b>")).get(name)
    assert callable(found), f"Werkzeug's Rule.{name} is {found!r} now."
    assert found(b="x y") == ("", "/a/x%20y")


def test_parts_and_weights_have_the_used_fields():
    fields = [field.name for field in dataclasses.fields(RulePart)]
    assert fields == ["content", "final", "static", "suffixed", "weight"]
    assert Weighting._fields == (
        "number_static_weights",
        "static_weights",
        "number_argument_weights",
        "argument_weights",
    )


def test_werkzeug_compiles_the_imitated_parts():
    rule = bound("/v1/a<int:b>.<c>/<path:d>")
    assert [(part.content, part.static, part.final) for part in rule._parts] == [
        ("", True, False),  # the host
        ("", True, False),  # in front of the first slash
        ("v1", True, False),
        (r"a(?P<__werkzeug_0>\d+)\.(?P<__werkzeug_1>[^/]{1,})\Z", False, False),
        (rf"(?P<__werkzeug_0>{PathConverter.regex})\Z", False, True),
    ]
    assert rule._trace == [
        (False, "|"), (False, "/"), (False, "v1"), (False, "/"), (False, "a"), (True, "b"),
        (False, "."), (True, "c"), (False, "/"), (True, "d"),
    ]  # fmt: skip
    assert list(rule._converters) == ["b", "c", "d"]
    assert rule.arguments == {"b", "c", "d"}


def test_our_parts_differ_only_in_clean_segments():
    route = segments("v1", "a[b=int].[c]")
    (ours,) = make_rules("", route, "ours", ["GET"])
    Map([ours])
    theirs = bound(rule_string("", route))
    assert [(getattr(p, "unguarded", p.content), p.static, p.final) for p in ours._parts] == [
        (part.content, part.static, part.final) for part in theirs._parts
    ]
    assert ours._parts[-1].content.endswith(theirs._parts[-1].content)
    assert list(ours._converters) == list(theirs._converters)
    assert ours.arguments == theirs.arguments


def test_parts_of_less_weight_are_tried_first():
    def part(weight: int, endpoint: str) -> Rule:
        class Weighted(Rule):
            def _parse_rule(self, rule: str) -> Any:
                yield RulePart("", False, True, False, Weighting(0, [], 0, []))
                yield RulePart("x", True, False, False, Weighting(weight, [], 0, []))

        return Weighted("/x", endpoint=endpoint)

    rules = [part(0, "last"), part(-2, "first"), part(-1, "second")]
    assert Map(rules).bind("").match("/x") == ("first", {})


def test_the_matcher_reads_the_methods_of_a_rule():
    (rule,) = make_rules("", segments("a"), "ours", ["GET", "POST"])
    adapter = Map([rule, Rule("/<x>", endpoint="theirs")]).bind("")
    for method in ("GET", "POST", "DELETE", "BREW"):
        assert adapter.match("/a", method=method) == ("ours", {})
    assert rule.methods == {"GET", "POST"}


def test_rules_are_never_redirected_to():
    (rule,) = make_rules("", segments("a", "[b]"), "ours", ["GET"])
    adapter = Map([rule]).bind("")
    for path in ("/a//b", "/a/b/", "/a//", "/a"):
        with pytest.raises(NotFound):
            adapter.match(path)


def test_defaults_are_read_at_each_match():
    bare, full = make_rules("", segments("a", "[[...b]]"), "ours", ["GET"])
    adapter = Map([bare, full]).bind("")
    first, second = adapter.match("/a")[1], adapter.match("/a")[1]
    assert first == second == {"b": []}
    assert first["b"] is not second["b"]
    assert dict(bare.defaults) == {"b": []}
    assert len(bare.defaults) == 1
    with pytest.raises(KeyError, match="c"):
        bare.defaults["c"]


def test_a_rule_can_be_copied_to_another_map():
    rules = make_rules("/<int:v>", segments("a", "[b]", "[[...c]]"), "ours", ["GET"])
    Map(rules)
    copies = [rule.empty() for rule in rules]
    adapter = Map(copies).bind("")
    assert adapter.match("/1/a/x", method="DELETE") == ("ours", {"v": 1, "b": "x", "c": []})
    assert adapter.match("/1/a/x/y") == ("ours", {"v": 1, "b": "x", "c": ["y"]})
    assert adapter.build("ours", {"v": 1, "b": "x", "c": ["y", "z"]}) == "/1/a/x/y/z"
    assert [*map(repr, copies)] == [*map(repr, rules)]
    assert copies == list(rules)


def test_a_rule_can_be_bound_again():
    (rule,) = make_rules("", segments("[a]"), "ours", ["GET"])
    first = Map([rule])
    parts = rule._parts
    rule.bind(first)
    assert rule._parts is parts
    rule.refresh()
    assert rule._parts == parts
    assert rule._parts is not parts
    with pytest.raises(RuntimeError, match="already bound to map"):
        rule.bind(Map())


def test_werkzeug_parses_the_subdomain():
    rule = RouteRule("/a/<b>", segments=segments("a", "[b]"), endpoint="ours", subdomain="<s>.x")
    adapter = Map([rule]).bind("example.org", subdomain="de.x")
    assert adapter.match("/a/1") == ("ours", {"s": "de", "b": "1"})
    assert adapter.build("ours", {"s": "en", "b": "2"}) == "http://en.x.example.org/a/2"


def test_a_group_is_not_part_of_a_rule():
    (rule,) = make_rules("", (Group("(a)"),), "ours", ["GET"])
    with pytest.raises(TypeError, match=re.escape("Group(folder='(a)') is not a part of a URL.")):
        Map([rule])


# For rules that Werkzeug can express, its own Rule and ours agree.

STATICS = ("users", "7", "a b", "é", "x.y", "a|b", "{z}", "%5Fv", "1.5", "a+b", "v7", "a-b")
DYNAMICS = ("[{}]", "[{}=int]", "[{}=float]", "[{}=uuid]", "[{}=string]", "v[{}]", "[{}].json",
            "@[{}=int].x.y", "[{}]-[other_{}]", "r*[{}=float]+[other_{}=int]%5F")  # fmt: skip
WORDS = ("zzz", "0", "٣", "-7", "2.5", "v7", "v", "@1.x.y", "a-b", "x.json", "r*1.5+2_", "a b",
         "é", "日本", "e\u0301", "%41", "...", "a;b,c", "?q#f", "a|b", "{z}", "_v", "1e5",
         "12345678-1234-1234-1234-1234567890ab")  # fmt: skip
PREFIXES = {"": "", "/api": "api/", "/<lang>/v1": "[lang]/v1/", "/v<int:major>": "v[major=int]/"}


@st.composite
def routes(draw: st.DrawFn) -> tuple[str, ...]:
    folders = draw(st.lists(st.sampled_from(STATICS + DYNAMICS), max_size=4))
    named = [folder.replace("{}", f"p{n}") for n, folder in enumerate(folders)]
    return (*named, *draw(st.sampled_from([(), (), ("[...rest]",), ("[[...rest]]",)])))


def plain(values: dict[str, Any]) -> dict[str, Any]:
    """Values as Werkzeug's path converter has them: a text instead of a list."""
    return {name: "/".join(v) if isinstance(v, list) else v for name, v in values.items()}


def as_werkzeugs(rule: RouteRule) -> Rule:
    defaults = dict.fromkeys(rule.defaults or (), "")
    return Rule(rule.rule, endpoint=rule.endpoint, defaults=defaults, merge_slashes=False)


def matched(rules: Map, path: str) -> Any:
    try:
        return rules.bind("").match(path)
    except NotFound:
        return None


@pytest.mark.parametrize("examples", [60, pytest.param(300, marks=pytest.mark.ci)])
def test_our_rules_match_and_build_like_werkzeugs(examples):
    counts = Counter()

    @settings(SEEDED, max_examples=examples)
    @given(routes(), st.sampled_from(sorted(PREFIXES)), st.integers(0, 2**32))
    def compare(route: tuple[str, ...], prefix: str, seed: int) -> None:
        rng = random.Random(seed)
        rules = make_rules(prefix, segments(*route), "both", ["GET"])
        theirs = Map([as_werkzeugs(rule) for rule in rules])
        ours = Map(rules)
        for n in range(20):
            path = path_for(rng, PREFIXES[prefix] + "/".join(route), WORDS)
            if n % 2:
                folders = path.split("/")[1:]
                folders[rng.randrange(len(folders))] = rng.choice(WORDS)
                path = "/" + "/".join(folders[: rng.randint(1, 9)])
            found, expected = matched(ours, path), matched(theirs, path)
            assert (found and (found[0], plain(found[1]))) == expected, (rules, path)
            counts[bool(found)] += 1
            if found:
                for values in (found[1], {**found[1], "q": "ä"}):
                    url = ours.bind("").build("both", values)
                    assert url == theirs.bind("").build("both", plain(values)), (rules, path)
                bare = ours.bind("").build("both", values, append_unknown=False)
                assert bare == url.partition("?")[0]

    compare()
    assert min(counts[True], counts[False]) > 3 * examples


class _Cycle:
    """What only the garbage collector removes, and not in one step: another thread can go on."""

    def __init__(self) -> None:
        self.itself = self

    def __del__(self) -> None:
        for _ in range(50):
            pass


def test_concurrent_first_builds_of_urls():
    count, threads = 64, 8
    url_map = Map()
    for number in range(count):
        segments = parse_segment(f"a{number}"), parse_segment("[id]")
        for rule in make_rules("/api", segments, str(number), ("GET",)):
            url_map.add(rule)
    adapter = url_map.bind("localhost")
    together = threading.Barrier(threads)

    def build(first: int) -> list[str]:
        together.wait(10)
        built = []
        for number in range(first, count, threads):
            for _ in range(5):
                _Cycle()
            built.append(adapter.build(str(number), {"id": "x"}))
        return built

    threshold, interval = gc.get_threshold(), sys.getswitchinterval()
    gc.set_threshold(20)
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(threads) as pool:
            built = [url for urls in pool.map(build, range(threads)) for url in urls]
    finally:
        gc.set_threshold(*threshold)
        sys.setswitchinterval(interval)
    assert sorted(built) == sorted(f"/api/a{number}/x" for number in range(count))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_forked_child_can_build_urls():
    url_map = Map()
    for rule in make_rules("/api", (parse_segment("[id]"),), "child", ("GET",)):
        url_map.add(rule)
    adapter = url_map.bind("localhost")
    held, let_go = threading.Event(), threading.Event()

    def hold() -> None:
        with _compiling.get():
            held.set()
            let_go.wait(20)

    def build() -> bool:
        signal.alarm(10)  # ends a child that waits for a thread that it does not have
        return adapter.build("child", {"id": "x"}) == "/api/x"

    with ThreadPoolExecutor(1) as pool:
        pool.submit(hold)
        assert held.wait(10)
        try:
            assert in_child(build)
        finally:
            let_go.set()
