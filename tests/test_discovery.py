"""Walks over real files: the routes, the problems and the warnings."""

from __future__ import annotations

import ast
import inspect
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from flask_routehandlers import RouteHandlers, RouteHandlersWarning, RouteTreeError
from flask_routehandlers.tree.discovery import discover
from flask_routehandlers.tree.segments import Dynamic, Group, Parameter, Static
from tests.support import ECHO, bare_app, write_files

#: Returns the name of its module and counts its calls: a second copy would start at 1.
COUNTER = """
from itertools import count
numbers = count(1)

def GET():
    return f"{__name__.partition('.app.api.')[2]} {next(numbers)}"
"""

OUTSIDE = "Copy its target into the tree, or import it from a route file instead."
ENDLESS = "The symbolic link points to a folder that contains it, so the tree has no end."
NOTHING = "It is not a regular file, or it is a broken symbolic link."
NO_FILE = f"  {NOTHING}\n  Replace it with a file, or remove it."
UNREADABLE = (
    "  The folder cannot be read: {}.\n  Give the user that runs the app permission to list it, "
    "or make it private with a leading underscore."
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "app/api").mkdir(parents=True)
    return tmp_path / "app/api"


def files(root: Path) -> list[str]:
    return [route.file for route in discover(str(root)).routes]


def problems(root: Path) -> list[str]:
    return [str(problem) for problem in discover(str(root)).problems]


def warned(root: Path) -> tuple[str, ...]:
    return tuple(f"{w.reason} {w.hint}" for w in discover(str(root)).warnings)


def get(client: Any, url: str) -> str:
    return client.get(url).get_data(as_text=True)


def test_route_files_are_sorted_by_their_folders(root):
    names = ("a-b/route.py", "a/[id]/route.py", "(g)/a/route.py", "a/b/route.py", "route.py")
    write_files(root, dict.fromkeys(names, ECHO))
    tree = discover(str(root))
    assert [(route.file, route.segments) for route in tree.routes] == [
        ("(g)/a/route.py", (Group("(g)"), Static("a", "a"))),
        ("a/[id]/route.py", (Static("a", "a"), Dynamic("[id]", (Parameter("id"),)))),
        ("a/b/route.py", (Static("a", "a"), Static("b", "b"))),
        ("a-b/route.py", (Static("a-b", "a-b"),)),
        ("route.py", ()),
    ]
    assert tree.routes[1].path == f"{root}/a/[id]/route.py"
    assert (tree.problems, tree.warnings) == ((), ())


def test_middleware_above_route_files_is_found(root):
    names = ("a/b/middleware.py", "(g)/middleware.py", "middleware.py", "_lib/middleware.py",
             "[x]/middleware.py", "[]/middleware.py")  # fmt: skip
    write_files(root, dict.fromkeys(names, ""))
    write_files(root, dict.fromkeys(("a/b/c/route.py", "(g)/route.py", "[x]/y/route.py"), ECHO))
    tree = discover(str(root))
    assert [(source.file, source.folders) for source in tree.middleware] == [
        ("(g)/middleware.py", ("(g)",)),
        ("[x]/middleware.py", ("[x]",)),
        ("a/b/middleware.py", ("a", "b")),
        ("middleware.py", ()),
    ]
    assert (tree.problems, tree.warnings) == ((), ())


def test_the_order_of_a_listing_changes_nothing(root, monkeypatch):
    names = [f"{a}/{b}/route.py" for a in ("x", "(x)", "[a]", "Users", "[[b]]") for b in "pq"]
    others = ("x/routes.py", "y/Route.py", "(x", "middleware.py", "x/p/middleware.py")
    write_files(root, dict.fromkeys((*names, *others), ""))
    expected = discover(str(root))
    scandir = os.scandir

    @contextmanager
    def shuffled(path: str) -> Iterator[Iterator[os.DirEntry[str]]]:
        with scandir(path) as entries:
            yield iter(rng.sample(found := list(entries), len(found)))

    monkeypatch.setattr(os, "scandir", shuffled)
    for seed in range(20):
        rng = Random(seed)
        assert discover(str(root)) == expected


def test_only_folders_with_a_route_below_are_kept(root):
    write_files(
        root,
        {
            "a/b/route.py": ECHO,
            "a/b/helper.py": "",
            "a/b/notes.txt": "",
            "a/__init__.py": "",
            "assets/logo.svg": "",
            "assets/tool.py": "",
        },
    )
    assert [
        (folder.names, sorted(folder.modules), folder.is_package)
        for folder in discover(str(root)).folders
    ] == [((), [], False), (("a",), ["__init__"], True), (("a", "b"), ["helper", "route"], False)]


def test_well_known_is_the_only_hidden_folder(root):
    folders = ("_lib", "__pycache__", ".git", "..data", "x/_y/z", ".well-known", "%5Fx", "x/y_")
    write_files(root, {f"{folder}/route.py": "" for folder in folders})
    assert files(root) == [f"{name}/route.py" for name in ("%5Fx", ".well-known", "x/y_")]


@pytest.mark.parametrize(
    ("target", "link"), [("nowhere", "_a"), ("_b", "_b"), (".c", ".c"), ("/etc", "_d")]
)
def test_private_and_hidden_links_are_not_followed(root, target, link):
    write_files(root, {"route.py": ECHO})
    (root / link).symlink_to(target)
    assert (files(root), problems(root)) == (["route.py"], [])


def test_other_files_belong_to_the_user(root):
    names = ("route.txt", "route", "my_route.py", "route_test.py", "page.py", "x.pyc")
    write_files(root, dict.fromkeys((*names, "route.py"), ""))
    tree = discover(str(root))
    assert ([route.file for route in tree.routes], tree.warnings) == (["route.py"], ())


def test_all_problems_of_a_tree_come_together(root, monkeypatch):
    monkeypatch.chdir(root)
    write_files(
        root,
        {
            "[post-id]/route.py": "",
            "(g)/a/route.py": "",
            "a/route.py": "",
            "b/[id=number]/route.py": "",
            "c.d/route.py": "",
            "c_d/route.py": "",
            "e/route.py": "1 / 0",
            "f/route.py": "def get(): ...",
            "g/middleware.py": "",
            "g/route.py": ECHO,
        },
    )
    (root / "gone").mkdir()
    (root / "gone/route.py").symlink_to("nothing.py")
    with pytest.raises(RouteTreeError) as caught:
        RouteHandlers(bare_app(root.parent.parent))
    text = f"""\
8 problems in {root}:

[post-id]
  'post-id' is not a Python identifier, so it cannot be an argument of a handler.
  Did you mean [post_id]?

gone/route.py
  It is not a regular file, or it is a broken symbolic link.
  Replace it with a file, or remove it.

(g)/a/route.py
a/route.py
  These files have the same URL.
  Keep one of them, or rename a folder; groups are not part of the URL.

c.d
c_d
  The modules in these folders have the same name, 'c_d': a dot in a folder name is an \
underscore in a module name.
  Rename one of the folders, or put it in a group.

b/[id=number]/route.py
  The app has no converter 'number'.
  It has any, float, int, path, string, uuid. Add your own to app.url_map.converters before \
RouteHandlers.

g/middleware.py
  The file has no middleware.
  Write def middleware(request, call_next), which returns call_next() or another response.

e/route.py
  e/route.py could not be imported: ZeroDivisionError: division by zero.
  Look at e/route.py, line 1.

f/route.py
  The file defines get(), which is not a handler: a handler is named after an HTTP method, in \
upper case.
  Did you mean GET? Rename the function if it is a helper."""
    assert str(caught.value) == text
    assert caught.value.root == str(root)
    assert len(caught.value.problems) == 8
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_a_middleware_problem_hides_nothing_below(root):
    write_files(root, {"middleware.py": "", "a/route.py": "def get(): ..."})
    with pytest.raises(RouteTreeError) as caught:
        RouteHandlers(bare_app(root.parent.parent))
    assert [problem.files for problem in caught.value.problems] == [
        ("middleware.py",),
        ("a/route.py",),
    ]


def test_a_single_problem_is_in_the_singular(root, monkeypatch):
    monkeypatch.chdir(root)
    write_files(root, {"[]/route.py": ""})
    with pytest.raises(RouteTreeError) as caught:
        RouteHandlers(bare_app(root.parent.parent))
    assert str(caught.value) == (
        f"1 problem in {root}:\n\n"
        "[]\n  The brackets are empty, so the parameter has no name.\n  Write [name]."
    )


def test_refused_names_count_above_route_files(root):
    write_files(
        root,
        {
            "[post-id]/a/route.py": "",
            "[post-id]/b/[]/route.py": "",
            "a/<b>/notes.txt": "",
            "[[x]]/@y/z.py": "",
            "b/route.py": "",
        },
    )
    tree = discover(str(root))
    assert [problem.files for problem in tree.problems] == [("[post-id]",), ("[post-id]/b/[]",)]
    assert [route.file for route in tree.routes] == ["b/route.py"]


# The root


def test_a_missing_root_is_refused_with_its_path(tmp_path):
    with pytest.raises(RouteTreeError) as caught:
        RouteHandlers(bare_app(tmp_path))
    root = f"{tmp_path}/app/api"
    assert str(caught.value) == (
        f"1 problem in {root}:\n\n{root}\n  The root {root} does not exist.\n"
        "  Create the folder, or give RouteHandlers another root; "
        "a relative root starts at app.root_path."
    )


def test_a_root_that_is_a_file_is_refused(tmp_path):
    write_files(tmp_path, {"app/api": ""})
    assert problems(tmp_path / "app/api") == [
        f"{tmp_path}/app/api\n  The root {tmp_path}/app/api is a file.\n"
        "  Create the folder, or give RouteHandlers another root; "
        "a relative root starts at app.root_path."
    ]


def test_a_root_may_not_repeat_its_package(tmp_path):
    write_files(tmp_path, {"app/__init__.py": "", "app/api/users/route.py": ECHO})
    app = bare_app(tmp_path / "app")
    with pytest.raises(RouteTreeError) as caught:
        RouteHandlers(app, "app/api")
    [problem] = caught.value.problems
    assert problem.reason == f"The root {tmp_path}/app/app/api does not exist."
    assert problem.hint == (
        "A relative root starts at app.root_path, the folder of the package. "
        'Write RouteHandlers(app, "api", url_prefix="/api").'
    )
    RouteHandlers(app, "api", url_prefix="/api")
    assert app.test_client().get("/api/users").status_code == 200


def test_a_root_without_route_files_is_a_warning(root):
    write_files(root, {"_lib/route.py": "", "users/views.py": ""})
    assert warned(root) == (no_route_file(root),)
    assert problems(root) == []


def test_a_root_can_be_a_symbolic_link(root, tmp_path):
    write_files(root, {"a/route.py": COUNTER})
    os.symlink(root, tmp_path / "linked")
    app = bare_app(tmp_path)
    RouteHandlers(app)
    RouteHandlers(app, "linked", url_prefix="/linked")
    client = app.test_client()
    assert [get(client, "/api/a"), get(client, "/linked/a")] == ["a.route 1", "a.route 2"]


# Warnings


def near_miss(file: str) -> str:
    return (
        f"{file} is not a route file and has no URL. "
        "Rename it to route.py if it should answer requests."
    )


def no_route_file(root: str | Path) -> str:
    return (
        f"There is no route.py below {root}, so it has no URLs. "
        f"Create one, for example {root}/hello/route.py."
    )


def test_middleware_above_no_route_is_a_warning(root):
    write_files(root, {"a/b/route.py": "", "a/middleware.py": "", "c/d/middleware.py": ""})
    assert warned(root) == (
        "c/d/middleware.py applies to no route file: there is none in its folder or below. "
        "Move it to the folder of a route file or above, or remove it.",
    )
    assert [source.file for source in discover(str(root)).middleware] == ["a/middleware.py"]


def test_warnings_point_at_the_line_of_the_call(tree, monkeypatch):
    app = bare_app(tree({"users/routes.py": "", "Route.py": ""}))
    monkeypatch.chdir(f"{app.root_path}/app/api")
    with pytest.warns(RouteHandlersWarning) as caught:
        RouteHandlers(app)
    line = inspect.currentframe().f_lineno - 1
    assert [str(warning.message) for warning in caught] == [
        near_miss("Route.py"),
        no_route_file(f"{app.root_path}/app/api"),
        near_miss("users/routes.py"),
    ]
    assert {(warning.filename, warning.lineno) for warning in caught} == {(__file__, line)}


def test_warnings_point_at_the_call_of_init_app(tree):
    app = bare_app(tree({"route.py": ECHO, "routes.py": ""}))
    handlers = RouteHandlers()
    with pytest.warns(RouteHandlersWarning) as caught:
        handlers.init_app(app)
    line = inspect.currentframe().f_lineno - 1
    assert [(w.filename, w.lineno) for w in caught] == [(__file__, line)]


def test_a_folder_can_be_named_like_a_source_file(make_app):
    folders = ("a/route.py", "b/middleware.py", "b/route.py")
    app = make_app({f"{folder}/notes.txt": "" for folder in folders}, "b/route.py")
    assert [rule.rule for rule in app.url_map.iter_rules()] == ["/api/b/route.py"]
    assert app.test_client().get("/api/b/route.py").status_code == 200


# Symbolic links


def test_a_link_out_of_the_root_is_refused(root, tmp_path):
    # Beside the root, and with a name that the root's name begins.
    write_files(tmp_path / "app/api2", {"users/route.py": "", "route.py": ""})
    write_files(root, {"a/b/route.py": "", "c/notes.txt": ""})
    (root / "users").symlink_to("../api2/users")
    (root / "a/all").symlink_to(tmp_path / "app/api2")
    (root / "c/route.py").symlink_to("../../api2/route.py")
    (root / "a/middleware.py").symlink_to("../../api2/route.py")
    (root / "d").symlink_to("users")
    outside = f"  The symbolic link points outside the root, to {tmp_path}/app/api2"
    assert problems(root) == [
        f"a/all\n{outside}.\n  {OUTSIDE}",
        f"a/middleware.py\n{outside}/route.py.\n  {OUTSIDE}",
        f"c/route.py\n{outside}/route.py.\n  {OUTSIDE}",
        f"d\n{outside}/users.\n  {OUTSIDE}",
        f"users\n{outside}/users.\n  {OUTSIDE}",
    ]
    assert files(root) == ["a/b/route.py"]


def test_a_broken_link_is_refused_as_a_source_file(root):
    write_files(root, {"a/notes.txt": "", "b/route.py": ""})
    (root / "a/route.py").symlink_to("nothing")
    (root / "b/middleware.py").symlink_to("nothing")
    (root / "c").symlink_to("nothing")
    (root / "d.py").symlink_to("nothing")
    assert problems(root) == [f"a/route.py\n{NO_FILE}", f"b/middleware.py\n{NO_FILE}"]
    assert files(root) == ["b/route.py"]


def test_a_route_file_must_be_a_regular_file(root):
    os.mkfifo(root / "route.py")
    assert problems(root) == [f"route.py\n{NO_FILE}"]


@pytest.mark.parametrize("target", [".", "..", "../.."])
def test_a_link_to_a_folder_above_it_is_refused(root, target):
    write_files(root, {"a/b/route.py": ""})
    (root / "a/b/up").symlink_to(target)
    assert problems(root) == [f"a/b/up\n  {ENDLESS}\n  Remove the link."]


def test_links_to_each_others_folders_are_refused(root):
    write_files(root, {"a/route.py": "", "b/route.py": ""})
    (root / "a/to_b").symlink_to("../b")
    (root / "b/to_a").symlink_to("../a")
    assert problems(root) == [
        f"a/to_b/to_a\n  {ENDLESS}\n  Remove the link.",
        f"b/to_a/to_b\n  {ENDLESS}\n  Remove the link.",
    ]


def test_a_link_to_itself_is_ignored(root):
    write_files(root, {"a/route.py": "", "b/c/route.py": "", "d/x.txt": ""})
    (root / "b/b").symlink_to("b")
    (root / "d/route.py").symlink_to("route.py")
    assert problems(root) == [f"d/route.py\n{NO_FILE}"]
    assert files(root) == ["a/route.py", "b/c/route.py"]


def test_a_linked_folder_shares_its_modules(tree):
    project = tree({"users/[id]/route.py": COUNTER, "users/route.py": COUNTER})
    (project / "app/api/members").symlink_to("users")
    (project / "app/api/(old)").mkdir()
    (project / "app/api/(old)/people").symlink_to("../users/[id]")
    app = bare_app(project)
    RouteHandlers(app)
    client = app.test_client()
    assert [get(client, f"/api/{url}") for url in ("users/1", "members/1", "people")] == [
        "users.[id].route 1",
        "users.[id].route 2",
        "users.[id].route 3",
    ]
    assert [get(client, f"/api/{url}") for url in ("members", "users")] == [
        "users.route 1",
        "users.route 2",
    ]


def test_a_linked_route_file_shares_its_module(tree):
    project = tree({"b/route.py": COUNTER, "a/notes.txt": ""})
    (project / "app/api/a/route.py").symlink_to("../b/route.py")
    app = bare_app(project)
    RouteHandlers(app)
    client = app.test_client()
    assert [get(client, "/api/a"), get(client, "/api/b")] == ["b.route 1", "b.route 2"]
    first, second = app.extensions["routehandlers"]["api"].routes
    assert first.view.module is second.view.module


def test_a_linked_middleware_file_is_one_module(tree):
    source = COUNTER.replace("GET()", "middleware(call_next)").replace('return f"', 'return f"m:')
    project = tree({"a/middleware.py": source}, "a", "b")
    (project / "app/api/b/middleware.py").symlink_to("../a/middleware.py")
    app = bare_app(project)
    RouteHandlers(app)
    client = app.test_client()
    assert [get(client, "/api/a"), get(client, "/api/b")] == [
        "m:a.middleware 1",
        "m:a.middleware 2",
    ]


def test_links_of_a_mounted_volume_share_a_module(tree):
    # How Kubernetes mounts a ConfigMap: every name leads through ..data to a dated folder.
    project = tree({"..2026_01_31/users/route.py": COUNTER, "..2026_01_31/route.py": COUNTER})
    (project / "app/api/..data").symlink_to("..2026_01_31")
    for name in ("users", "members", "route.py"):
        (project / "app/api" / name).symlink_to(f"..data/{name.replace('members', 'users')}")
    app = bare_app(project)
    RouteHandlers(app)
    client = app.test_client()
    assert [get(client, f"/api{url}") for url in ("", "/users", "/members")] == [
        "route 1",
        "members.route 1",
        "members.route 2",
    ]


# Files and folders that cannot be read

_CHILD = """
import json, os, sys
from flask import Flask
from flask_routehandlers import RouteHandlers, RouteTreeError

def problems(root):
    try:
        RouteHandlers(Flask("child", root_path=sys.argv[1], static_folder=None), root)
    except RouteTreeError as error:
        return [str(problem) for problem in error.problems]

sys.dont_write_bytecode = True
assert problems("rehearsal")  # imports what a refusal needs: another user may not read it
if os.getuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
json.dump(problems("app/api"), sys.stdout)
"""


def refused_without_privileges(files: dict[str, str], modes: dict[str, int]) -> Any:
    """Return the problems of a tree in a process without privileges.

    :param modes: the modes of some files.
    """
    # Not in tmp_path, which only its owner can enter.
    with TemporaryDirectory() as folder:
        project = Path(folder)
        write_files(project / "app/api", files)
        write_files(project, {"rehearsal/route.py": "1 / 0"})
        for path in (project, *project.rglob("*")):
            path.chmod(0o755)
        for name, mode in modes.items():
            (project / "app/api" / name).chmod(mode)
        try:
            command = [sys.executable, "-c", _CHILD, folder]
            child = subprocess.run(command, stdout=subprocess.PIPE, timeout=60, check=True)
        finally:
            for name in modes:
                (project / "app/api" / name).chmod(0o755)
        return json.loads(child.stdout)


def test_an_unreadable_folder_is_refused():
    names = ("a/b", "_a", ".a", "c")
    modes = {"a/b": 0o311, "_a": 0o000, ".a": 0o000}
    found = refused_without_privileges({f"{name}/route.py": ECHO for name in names}, modes)
    assert found == [f"a/b\n{UNREADABLE.format('Permission denied')}"]


def test_a_folder_that_cannot_be_entered_is_refused():
    found = refused_without_privileges({"a/b/route.py": ECHO, "c/route.py": ECHO}, {"a": 0o644})
    assert found == [f"a/b\n{UNREADABLE.format('Permission denied')}"]


@pytest.mark.parametrize("name", ["a/route.py", "a/middleware.py"])
def test_an_unreadable_source_file_is_refused(name):
    files = {"a/route.py": ECHO, "b/route.py": ECHO, name: "def GET(): ..."}
    (problem,) = refused_without_privileges(files, {name: 0o000})
    file, reason, hint = problem.split("\n")
    assert file == name
    assert reason.startswith(f"  {name} could not be imported: PermissionError: [Errno 13]")
    assert reason.endswith(f"/app/api/{name}'.")
    assert hint.startswith("  Look at /")
    assert hint.endswith(f"/app/api/{name}.")


@contextmanager
def nested(root: Path, name: str, levels: int) -> Iterator[None]:
    """Folders of one name within each other, the last one with a route file.

    They can be too deep for absolute paths and for the recursion in Python's own functions.
    """
    fd = os.open(root, os.O_RDONLY)
    for _ in range(levels):
        os.mkdir(name, dir_fd=fd)
        below = os.open(name, os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = below
    with open(os.open("route.py", os.O_CREAT | os.O_WRONLY, dir_fd=fd), "w") as file:
        file.write(ECHO)
    os.close(fd)
    try:
        yield
    finally:
        subprocess.run(["rm", "-rf", root / name], check=True)


@pytest.mark.ci
def test_a_tree_of_1500_levels_is_walked(root):
    levels = min(1500, (4095 - len(f"{root}/route.py")) // len("/a"))
    with nested(root, "a", levels):
        (route,) = discover(str(root)).routes
        with pytest.raises(RouteTreeError) as caught:
            RouteHandlers(bare_app(root.parent.parent))
    assert len(route.segments) == levels
    (problem,) = caught.value.problems
    assert problem.files == (route.file,)
    assert f"{problem.reason} ".startswith(
        f"{route.file} could not be imported: RecursionError: maximum recursion depth exceeded"
    )


def test_a_tree_of_too_long_paths_is_refused(root):
    with nested(root, "a" * 250, 17):
        (problem,) = discover(str(root)).problems
    assert str(problem) == f"{problem.files[0]}\n{UNREADABLE.format('File name too long')}"
    assert 4096 <= len(f"{root}/{problem.files[0]}") < 4096 + 251


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names themselves")
def test_names_that_are_not_utf_8_are_refused(root):
    base = os.fsencode(root)
    for folder in (b"/caf\xe9", b"/\xff", b"/b"):
        os.mkdir(base + folder)
    for file in (b"/caf\xe9/route.py", b"/b/\xfe.txt", b"/b/\xfe.py", b"/b/route.py"):
        open(base + file, "w").close()
    assert problems(root) == [
        "caf\\udce9\n  A folder name cannot contain the character '\\udce9'.\n"
        "  Rename the folder to a name without it."
    ]
    assert files(root) == ["b/route.py"]


def test_other_python_files_are_listed(tree):
    files = ["b.py", "a/x.py", "a/route.py", "a/middleware.py", "c/[d]/__init__.py", "c/Route.py",
             "_lib/y.py", ".git/z.py", "a/notes.txt", "a/w.pyw"]  # fmt: skip
    root = tree(dict.fromkeys(files, "")) / "app/api"
    assert discover(str(root)).others == ("a/x.py", "b.py", "c/Route.py", "c/[d]/__init__.py")


_LISTING = """
import sys
from flask_routehandlers.tree.discovery import discover
tree = discover(sys.argv[1])
print(ascii(([str(p) for p in tree.problems], [route.file for route in tree.routes])))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="the names of files are text there")
def test_a_locale_that_is_not_utf_8_is_named(root):
    write_files(root, {"café/route.py": "", "b/route.py": ""})
    # Without these variables Python itself avoids the locale C.
    locale = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    found = {}
    for hint, environ in (("", {}), ("PYTHONUTF8=1", {"PYTHONUTF8": "1"}),
                          ("LC_ALL=C.UTF-8", {"LC_ALL": "C.UTF-8"})):  # fmt: skip
        child = subprocess.run(
            [sys.executable, "-c", _LISTING, str(root)],
            env=os.environ | locale | environ,
            capture_output=True,
            check=True,
        )
        found[hint] = ast.literal_eval(child.stdout.decode())
    problem = (
        "caf\\udcc3\\udca9\n  The locale makes Python read file names as ascii, not as UTF-8, so "
        "this one cannot be read.\n  Start Python with the environment variable PYTHONUTF8=1, or "
        "set LC_ALL=C.UTF-8."
    )
    assert found.pop("") == ([problem], ["b/route.py"])
    assert set(map(str, found.values())) == {"([], ['b/route.py', 'café/route.py'])"}


# Trees that an installer has made of links


def link_files(source: Path, target: Path) -> None:
    """Make folders with a link for each file, as installers do."""
    for path in [path for path in source.rglob("*") if path.is_file()]:
        link = target / path.relative_to(source)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(path)


INSTALLED = {
    "app/lib.py": "VALUE = 7\n",
    "app/api/middleware.py": "def middleware(call_next):\n    response = call_next()\n"
    "    response.headers['X-Seen'] = 'yes'\n    return response\n",
    "app/api/users/[id]/route.py": "from ....lib import VALUE\n"
    "def GET(id): return f'{id} {VALUE}'",
    "app/api/[...path]/route.py": "from .helper import HELP\ndef GET(path): return HELP",
    "app/api/[...path]/helper.py": "HELP = 'help'\n",
}


def test_a_tree_of_links_to_a_parallel_tree_is_served(tmp_path):
    source = write_files(tmp_path / "cache/archive-7", INSTALLED)
    link_files(source, tmp_path / "site")
    app = bare_app(tmp_path / "site")
    RouteHandlers(app)
    client = app.test_client()
    answers = [client.get(f"/api/{path}") for path in ("users/5", "x/y")]
    assert [answer.text for answer in answers] == ["5 7", "help"]
    assert [answer.headers["X-Seen"] for answer in answers] == ["yes", "yes"]


def test_a_tree_of_links_can_come_from_two_places(tmp_path):
    # Sources and generated files, or one distribution with two source folders.
    sources = write_files(tmp_path / "sources", INSTALLED)
    made = write_files(
        tmp_path / "made/bin", {"app/api/v1.0/route.py": "def GET(): return 'made'"}
    )
    link_files(sources, tmp_path / "runfiles")
    link_files(made, tmp_path / "runfiles")
    app = bare_app(tmp_path / "runfiles")
    RouteHandlers(app)
    client = app.test_client()
    assert [client.get(f"/api/{path}").text for path in ("v1.0", "users/5")] == ["made", "5 7"]


def outside(file: str, target: Path) -> str:
    return f"{file}\n  The symbolic link points outside the root, to {target}.\n  {OUTSIDE}"


def test_one_file_that_is_no_link_refuses_the_links(root, tmp_path):
    source = write_files(tmp_path / "source", {"a/route.py": ECHO, "b/middleware.py": ""})
    link_files(source, root)
    assert problems(root) == []
    write_files(root, {"c/route.py": ECHO})
    assert problems(root) == [
        outside("a/route.py", source / "a/route.py"),
        outside("b/middleware.py", source / "b/middleware.py"),
    ]
    assert files(root) == ["c/route.py"]


def test_one_link_to_another_path_refuses_the_links(root, tmp_path):
    source = write_files(tmp_path / "source", {"a/route.py": ECHO, "x/route.py": ECHO})
    (root / "a").mkdir()
    (root / "b").mkdir()
    (root / "a/route.py").symlink_to(source / "a/route.py")
    (root / "b/route.py").symlink_to(source / "x/route.py")
    assert problems(root) == [
        outside("a/route.py", source / "a/route.py"),
        outside("b/route.py", source / "x/route.py"),
    ]
    assert files(root) == []


def test_a_linked_folder_out_of_the_root_is_refused(root, tmp_path):
    source = write_files(tmp_path / "source", {"a/route.py": ECHO, "b/route.py": ECHO})
    link_files(source / "a", root / "a")
    (root / "b").symlink_to(source / "b")
    assert problems(root) == [outside("b", source / "b")]
