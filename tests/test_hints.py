"""Every hint of the tree, followed on disk: afterwards the app starts, and answers as promised."""

from __future__ import annotations

import ast
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from flask import Flask
from werkzeug.routing import BaseConverter, Map

import flask_routehandlers
from flask_routehandlers import RouteHandlers
from flask_routehandlers.tree.discovery import discover
from flask_routehandlers.tree.grammar import SegmentError, parse_segment
from tests.support import ECHO, bare_app, refused, write_files

PACKAGE = Path(flask_routehandlers.__file__).parent

#: The rooms whose hints are followed here.
ROOMS = ("tree", "importing", "routing")

#: The hints that other tests follow, each with the test.
ELSEWHERE = {
    "Unpack the archive, or install the app with pip, and start it from there.": "test_packaging",
    "Start Python with the environment variable PYTHONUTF8=1, or set LC_ALL=C.UTF-8.": (
        "test_discovery"
    ),
    "Give the user that runs the app permission to list it, or make it private with a leading "
    "underscore.": "test_discovery",
    "Rename app.py, for example to wsgi.py": "test_loading",
}

#: How a hint begins.
IMPERATIVE = (
    "(Add|Copy|Create|Did you mean|For|Give|It has|Keep|Make|Move|Name|Pass|Put|Register|Remove|"
    "Rename|Replace|Set|Start|Unpack|Use|Write) "
)

#: Does what a hint says, in a root.
Follow = Callable[[Path, str], None]


# Hints that name a folder.

#: Refused folder names, each with the names in its hint and the paths that these then answer.
NAMES = {
    "[]": {"[name]": "/x"},
    "[...]": {"[...name]": "/x/y"},
    "[[...]]": {"[[...name]]": ""},
    "[a": {"[name]": "/x", "[...name]": "/x/y", "[[...name]]": ""},
    "[a][b]": {"[a]-[b]": "/x-y"},
    "x[...a]": {"[...a]": "/x"},
    "x[[...a]]": {"[[...a]]": ""},
    "[...a=int]": {"[...a]": "/x"},
    "[[a]]": {"[a]": "/x"},
    "[…a]": {"[...a]": "/x"},
    "[[…a]]": {"[[...a]]": "/x"},
    "[int:a]": {"[a=int]": "/7"},
    "[a:int]": {"[a=int]": "/7"},
    "[path:a]": {"[...a]": "/x/y"},
    "v[path:a]": {"[a]": "/vx"},
    "[post-id]": {"[post_id]": "/x"},
    "[class=int]": {"[class_=int]": "/7"},
    "[request]": {"[request_]": "/x"},
    "[a=my-int]": {"[a=int]": "/7"},
    "@slot": {"slot": "/slot", "(slot)": "", "%40slot": "/@slot"},
    "@slot(x)": {"slotx": "/slotx", "(slotx)": "", "%40slot%28x%29": "/@slot(x)"},
    "(.)photo": {"photo": "/photo"},
    "(..)(..)photo": {"photo": "/photo"},
    "()": {"(name)": ""},
    "(a)b": {"(ab)": "", "ab": "/ab", "%28a%29b": "/(a)b"},
    "a(b": {"(ab)": "", "ab": "/ab", "a%28b": "/a(b"},
    "(a)[b]": {"(name)/[name]": "/x", "[name=converter]": "/x"},
    "a%2Cb": {"a,b": "/a,b"},
    "caf%C3%A9": {"café": "/café"},
    "%5fname": {"%5Fname": "/_name"},
    "%2egit": {"%2Egit": "/.git"},
    "%40a%2Cb": {"%40a,b": "/@a,b"},
    "<a>": {"[a]": "/x"},
    "<int:a>": {"[a=int]": "/7"},
    "<path:a>": {"[...a]": "/x/y"},
    "<any:a>": {"[a]": "/x"},
    # These name no folder: any other name will do.
    "%2E%2E": {"": ""},
    "100%": {"": ""},
    "%5Ba%5D": {"": ""},
    "a<b": {"": ""},
    "a\\b": {"": ""},
}  # fmt: skip


class Word(BaseConverter):
    regex = "[a-z0-9]+"


def site(folder: Path) -> Flask:
    app = bare_app(folder)
    app.url_map.converters["converter"] = Word
    return app


def starts(folder: Path, path: str) -> None:
    """Check that the tree of a project is served, and that it answers a path."""
    app = site(folder)
    RouteHandlers(app)
    assert app.test_client().get(quote(f"/api{path}")).status_code == 200


@pytest.mark.parametrize("name", NAMES)
def test_a_name_in_a_hint_works(tree, name):
    for number, (shown, path) in enumerate(NAMES[name].items()):
        project = tree({f"{name}/route.py": ECHO})
        (problem,) = refused(site(project))
        assert problem.files == (name,)
        assert shown in problem.hint, number
        if not shown:
            shown, path = "other", "/other"
        api = project / "app/api"
        (api / name).rename(api / "renamed")
        (api / shown).parent.mkdir(exist_ok=True)
        (api / "renamed").rename(api / shown)
        starts(project, path)


# Hints that say what to do with files.


def move(old: str, new: str) -> Follow:
    """Move a file or folder, over another file if there is one."""

    def follow(api: Path, hint: str) -> None:
        (api / new).parent.mkdir(parents=True, exist_ok=True)
        (api / old).replace(api / new)

    return follow


def remove(name: str) -> Follow:
    def follow(api: Path, hint: str) -> None:
        if (api / name).is_dir() and not (api / name).is_symlink():
            shutil.rmtree(api / name)
        else:
            (api / name).unlink()

    return follow


def replace(name: str, content: str = ECHO) -> Follow:
    """Write a file, in the place of a link if there is one."""

    def follow(api: Path, hint: str) -> None:
        (api / name).unlink(missing_ok=True)
        write_files(api, {name: content})

    return follow


def move_to_shown(old: str) -> Follow:
    """Move a file to the one that the hint shows, and remove its folder if that is empty."""

    def follow(api: Path, hint: str) -> None:
        shown = re.search(r"\S+\.py", hint)[0].strip(",")
        move(old, shown if "/" in shown else f"{Path(old).parent}/{shown}")(api, hint)
        if not any((api / old).parent.iterdir()):
            (api / old).parent.rmdir()

    return follow


def write_shown(api: Path, hint: str) -> None:
    write_files(Path("/"), {re.search(r"/\S+\.py", hint)[0][1:]: ECHO})


def copy_target(name: str) -> Follow:
    def follow(api: Path, hint: str) -> None:
        target = (api / name).resolve()
        (api / name).unlink()
        if target.is_dir():
            shutil.copytree(target, api / name)
        else:
            shutil.copy(target, api / name)

    return follow


A = {"a/route.py": ECHO}
GUARD = "def middleware(call_next):\n    return call_next()\n"
OUTSIDE = {"../../shared/__init__.py": "", "../../shared/users/route.py": ECHO}

#: The start of a hint, the files of a tree with it, the ways to follow it, and a path that is
#: answered afterwards. A link is a tuple with its target.
CASES: list[tuple[str, dict[str, str | tuple[str]], list[Follow], str]] = [
    (
        "Make [...a] the last folder.",
        {"[...a]/b/route.py": ECHO},
        [move("[...a]/b/route.py", "[...a]/route.py")],
        "/x/y",
    ),
    (
        "Give each parameter of a path a different name.",
        {"[a]/b/[a]/route.py": ECHO},
        [move("[a]/b/[a]", "[a]/b/[c]")],
        "/x/b/y",
    ),
    (
        "Use one spelling: not every file system distinguishes them.",
        {"Users/route.py": ECHO, "users/x/route.py": ECHO},
        [move("Users/route.py", "users/route.py")],
        "/users",
    ),
    (
        "Use one parameter name and one kind of brackets at each level of the tree.",
        {"[a]/route.py": ECHO, "[b]/x/route.py": ECHO},
        [move("[b]/x", "[a]/x")],
        "/7/x",
    ),
    (
        "Remove one of them, or write [...b].",
        {"a/route.py": ECHO, "a/[[...b]]/route.py": ECHO},
        [remove("a/route.py"), remove("a/[[...b]]"), move("a/[[...b]]", "a/[...b]")],
        "/a",
    ),
    (
        "Keep one of them, or rename a folder; groups are not part of the URL.",
        {"a/route.py": ECHO, "(g)/a/route.py": ECHO},
        [remove("a"), remove("(g)/a"), move("(g)/a", "(g)/b")],
        "/a",
    ),
    (
        "Copy its target into the tree, or import it from a route file instead.",
        {**OUTSIDE, "a/x/route.py": ECHO, "c/route.py": ("../../../shared/users/route.py",)},
        [copy_target("c/route.py"), replace("c/route.py", "from shared.users.route import GET\n")],
        "/c",
    ),
    (
        "Copy its target into the tree, or import it from a route file instead.",
        {**OUTSIDE, "a/route.py": ECHO, "b": ("../../shared",)},
        [copy_target("b")],
        "/b/users",
    ),
    ("Remove the link.", {**A, "a/b": (".",)}, [remove("a/b")], "/a"),
    (
        "Replace it with a file, or remove it.",
        {**A, "b/middleware.py": ("nothing.py",), "b/route.py": ECHO},
        [remove("b/middleware.py"), replace("b/middleware.py", GUARD)],
        "/b",
    ),
    (
        "Move it to the folder of a route file or above, or remove it.",
        {**A, "b/middleware.py": GUARD},
        [
            move("b/middleware.py", "a/middleware.py"),
            move("b/middleware.py", "middleware.py"),
            remove("b/middleware.py"),
        ],
        "/a",
    ),
    ("Create one, for example ", {"notes.txt": ""}, [write_shown], "/hello"),
    ("Create the folder, or give RouteHandlers another root; ", {}, [replace("a/route.py")], "/a"),
    (
        "Move its code to a/middleware.py, and remove it.",
        {**A, "a/middleware/__init__.py": GUARD},
        [move_to_shown("a/middleware/__init__.py")],
        "/a",
    ),
    (
        "Move its code to a/route.py, and remove it.",
        {"a/route/__init__.py": ECHO},
        [move_to_shown("a/route/__init__.py")],
        "/a",
    ),
    (
        "Move its code to a/middleware.py, and remove it.",
        {**A, "a/middleware/auth.py": GUARD},
        [move_to_shown("a/middleware/auth.py")],
        "/a",
    ),
    (
        "Move its code to middleware.py, and remove it.",
        {**A, "a/middleware.pyw": GUARD},
        [move_to_shown("a/middleware.pyw")],
        "/a",
    ),
    (
        "Rename it to route.py if it should answer requests.",
        {**A, "b/routes.py": ECHO},
        [move_to_shown("b/routes.py")],
        "/b",
    ),
    (
        "Rename it to middleware.py if it should run for the routes in its folder and below.",
        {**A, "a/middlewares.py": GUARD},
        [move_to_shown("a/middlewares.py")],
        "/a",
    ),
    (
        "Rename it to dependencies.py if its functions should be arguments of handlers in its ",
        {**A, "a/dependency.py": "def user():\n    return 1\n"},
        [move_to_shown("a/dependency.py")],
        "/a",
    ),
    (
        "Rename one of the folders, or put it in a group.",
        {"a.b/route.py": ECHO, "a_b/route.py": ECHO, **A},
        [move("a_b", "c"), move("a_b", "(g)/a_b"), move("a.b", "(g)/a.b")],
        "/a",
    ),
    (
        "Rename one of them, or put the folder in a group: (a)/a.",
        {"a.py": "", "a/route.py": ECHO},
        [move("a.py", "b.py"), move("a", "(a)/a")],
        "/a",
    ),
    (
        "It has any, converter, float, int, path, string, uuid. Add your own to ",
        {"[a=Int]/route.py": ECHO},
        [move("[a=Int]", "[a=int]"), move("[a=Int]", "[a=converter]")],
        "/7",
    ),
    (
        "For several segments use a catch-all, [...a], as the last folder. For one segment set ",
        {"[a=path]/route.py": ECHO},
        [move("[a=path]", "[...a]")],
        "/x/y",
    ),
]


def write_tree(api: Path, files: dict[str, str | tuple[str]]) -> None:
    for name, content in files.items():
        if isinstance(content, str):
            write_files(api, {name: content})
        else:
            (api / name).parent.mkdir(parents=True, exist_ok=True)
            (api / name).symlink_to(content[0])


@pytest.mark.parametrize(
    ("hint", "files", "follow", "path"),
    [(hint, files, follow, path) for hint, files, ways, path in CASES for follow in ways],
    ids=[f"{hint} {n}" for hint, _, ways, _ in CASES for n in range(len(ways))],
)
def test_a_hint_about_files_works(tree, monkeypatch, hint, files, follow, path):
    project = tree()
    api = project / "app/api"
    write_tree(api, files)
    if not files:
        api.rmdir()
    tree = discover(str(api))
    problems = [*tree.problems, *tree.warnings] or refused(site(project))
    (problem,) = problems
    assert problem.hint.startswith(hint)
    follow(api, problem.hint)
    monkeypatch.syspath_prepend(project)
    starts(project, path)


# Hints that need a change of the app.


class Choice(BaseConverter):
    def __init__(self, url_map: Map, *choices: str) -> None:
        super().__init__(url_map)
        self.regex = "|".join(choices)


class Coin(Choice):
    def __init__(self, url_map: Map) -> None:
        super().__init__(url_map, "dollar", "euro")


class Needy(BaseConverter):
    def __init__(self, url_map: Map, words: list[str]) -> None: ...


@pytest.mark.parametrize(
    ("bad", "hint"),
    [
        (Needy, "Register your own converter that needs none."),
        (Choice, "Register your own converter whose regex needs at least one character."),
    ],
)
def test_a_hint_about_a_converter_works(tree, bad, hint):
    project = tree({}, "[a=own]")
    app = site(project)
    app.url_map.converters["own"] = bad
    (problem,) = refused(app)
    assert problem.hint == hint
    app.url_map.converters["own"] = Coin
    RouteHandlers(app)
    assert app.test_client().get("/api/euro").json["params"] == {"a": "euro"}


@pytest.mark.parametrize("way", ["remove", "change"])
def test_a_hint_about_equal_converters_works(tree, way):
    project = tree({}, "[a=converter]", "[b=own]")
    app = site(project)
    app.url_map.converters["own"] = type("Same", (Word,), {})
    (problem,) = refused(app)
    assert problem.hint == "Keep one of the files, or change the regex of your own converter."
    if way == "remove":
        remove("[b=own]")(project / "app/api", problem.hint)
    else:
        app.url_map.converters["own"] = type("Other", (Word,), {"regex": "[0-9]+x"})
    RouteHandlers(app)
    assert app.test_client().get("/api/7").status_code == 200


@pytest.mark.parametrize("options", [{}, {"url_prefix": "/other"}])
def test_a_hint_about_a_rule_of_the_app_works(tree, options):
    app = site(tree({}, "a"))
    app.add_url_rule("/api/a", "a", lambda: "")
    (problem,) = refused(app)
    assert problem.hint == "Remove one of them, or give RouteHandlers another url_prefix."
    if not options:
        app = site(Path(app.root_path))
    RouteHandlers(app, **options)
    path = options.get("url_prefix", "/api")
    assert app.test_client().get(f"{path}/a").status_code == 200


@pytest.mark.parametrize(
    ("root", "options", "hint", "followed"),
    [
        ("app/api", {"url_prefix": "api"}, "Did you mean '/api'?", "/api"),
        ("app/api", {"url_prefix": "/api//v1/"}, "Did you mean '/api/v1'?", "/api/v1"),
        ("app/api", {"url_prefix": "/"}, "Write url_prefix='' for none.", ""),
        (
            "app/[lang]",
            {},
            'Pass one: RouteHandlers(app, root, url_prefix="/api").',
            "/api",
        ),
    ],
)
def test_a_hint_about_a_prefix_works(tree, root, options, hint, followed):
    project = tree()
    write_files(project / root, {"a/route.py": ECHO})
    app = site(project)
    with pytest.raises(ValueError, match=re.escape(hint)):
        RouteHandlers(app, root, **options)
    RouteHandlers(app, root, url_prefix=followed, name="x")
    assert app.test_client().get(f"{followed}/a").status_code == 200


# All of them.


def first_words(module: Path) -> Iterator[str]:
    """The hints in a module, up to the first part that is filled in."""
    nodes = list(ast.walk(ast.parse(module.read_text(encoding="utf-8"))))
    other = {node.value for node in nodes if isinstance(node, ast.Expr)}  # docstrings
    for node in nodes:
        if isinstance(node, ast.JoinedStr):
            other.update(node.values[1:])
    strings = [node for node in nodes if isinstance(node, ast.Constant) and node not in other]
    for node in strings:
        if isinstance(node.value, str) and re.match(IMPERATIVE, node.value):
            yield node.value


def test_every_hint_is_followed():
    shown = {hint for hint, *_ in CASES} | set(ELSEWHERE)
    for name in NAMES:
        with pytest.raises(SegmentError) as caught:
            parse_segment(name)
        shown.add(caught.value.problem.hint)
    source = Path(__file__).read_text(encoding="utf-8")
    for room in ROOMS:
        for module in (PACKAGE / room).glob("*.py"):
            for hint in first_words(module):
                texts = [text for text in shown if text.startswith(hint) or hint.startswith(text)]
                assert texts or hint in source, hint
