"""Files and folders that look like source files of a tree, and are never loaded."""

from __future__ import annotations

import importlib
import sys
from importlib.machinery import EXTENSION_SUFFIXES, all_suffixes
from pathlib import Path

import pytest

from flask_routehandlers import RouteHandlers
from flask_routehandlers.tree.discovery import discover
from tests.support import ECHO, bare_app, refused, write_files

GUARD = "from flask import abort\n\n\ndef middleware(request, call_next):\n    abort(403)\n"

STEMS = ["middleware", "route", "dependencies"]

#: The endings of modules that Python imports here or on another system, but for source files.
ENDINGS = {*all_suffixes(), ".pyw", ".pyd", ".cp311-win_amd64.pyd", ".abi3.so"} - {".py"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "app/api").mkdir(parents=True)
    return tmp_path / "app/api"


def found(root: Path) -> tuple[list[str], list[str]]:
    """The problems and the warnings of a root, as text."""
    tree = discover(str(root))
    warnings = [f"{problem.reason} {problem.hint}" for problem in tree.warnings]
    return [str(problem) for problem in tree.problems], warnings


def never_loaded(path: str, stem: str, target: str) -> str:
    return (
        f"{path}\n  It is never loaded: {stem} can be a file, but not a package.\n"
        f"  Move its code to {target}, and remove it."
    )


def other_form(path: str, stem: str) -> str:
    return (
        f"{path}\n  It is never loaded: only a source file named {stem}.py is.\n"
        f"  Move its code to {stem}.py, and remove it."
    )


# Other forms of a source file.


def test_a_guard_in_a_package_is_refused(tree):
    project = tree({"admin/middleware/__init__.py": GUARD}, "admin/users")
    (problem,) = refused(bare_app(project))
    assert str(problem) == never_loaded(
        "admin/middleware/__init__.py", "middleware", "admin/middleware.py"
    )
    # Python would import it, so its author relies on it.
    sys.path.insert(0, str(project / "app/api/admin"))
    try:
        assert importlib.import_module("middleware").middleware
    finally:
        sys.path.pop(0)
        del sys.modules["middleware"]
    guard = project / "app/api/admin/middleware"
    (guard / "__init__.py").rename(project / "app/api/admin/middleware.py")
    app = bare_app(project)
    RouteHandlers(app)
    assert app.test_client().get("/api/admin/users").status_code == 403


@pytest.mark.parametrize("stem", STEMS)
@pytest.mark.parametrize("folder", ["", "a/[b]/"])
def test_a_package_named_like_a_source_file(root, stem, folder):
    write_files(root, {"a/[b]/c/route.py": ECHO, f"{folder}{stem}/__init__.py": ""})
    path = f"{folder}{stem}/__init__.py"
    assert discover(str(root)).others == ()
    assert found(root) == ([never_loaded(path, stem, f"{folder}{stem}.py")], [])


@pytest.mark.parametrize("stem", STEMS)
def test_a_package_comes_before_a_source_file(root, stem):
    # Python would import the package, also where the folder is a segment of a URL.
    files = {f"{stem}.py": ECHO, f"{stem}/__init__.py": "", f"(x)/{stem}/route.py": ECHO}
    write_files(root, files | {f"(x)/{stem}/__init__.py": ""})
    problems, _ = found(root)
    assert problems == [
        never_loaded(f"(x)/{stem}/__init__.py", stem, f"(x)/{stem}.py"),
        never_loaded(f"{stem}/__init__.py", stem, f"{stem}.py"),
    ]


@pytest.mark.parametrize("stem", STEMS)
@pytest.mark.parametrize("ending", sorted(ENDINGS))
def test_modules_that_are_not_source_files(root, stem, ending):
    files = {f"a/{stem}{ending}": "", f"b/{stem}/__init__{ending}": "", "c/route.py": ECHO}
    write_files(root, files)
    assert found(root) == (
        [
            other_form(f"a/{stem}{ending}", stem),
            never_loaded(f"b/{stem}/__init__{ending}", stem, f"b/{stem}.py"),
        ],
        [],
    )


def test_a_compiled_module_next_to_its_source(root):
    # Python imports an extension module before a source file, and bytecode after it.
    names = [f"middleware{ending}" for ending in (".pyc", ".pyw", *EXTENSION_SUFFIXES)]
    write_files(root, {"route.py": ECHO, "middleware.py": "", **dict.fromkeys(names, "")})
    problems, warnings = found(root)
    assert problems == [
        other_form(name, "middleware") for name in sorted(names) if name.endswith(".so")
    ]
    assert warnings == []


def test_a_folder_of_modules_named_like_a_file(root):
    # Without __init__.py it is a package for Python all the same.
    write_files(root, {"a/route.py": ECHO, "a/middleware/auth.py": GUARD})
    assert found(root) == ([never_loaded("a/middleware", "middleware", "a/middleware.py")], [])
    write_files(root, {"a/middleware.py": GUARD})
    assert found(root) == ([], [])


@pytest.mark.parametrize("stem", STEMS)
def test_a_segment_named_like_a_source_file(make_app, stem):
    app = make_app({f"{stem}/notes.txt": "", f"x/{stem}/[id]/more.py": ""}, stem, f"x/{stem}/[id]")
    client = app.test_client()
    assert [client.get(f"/api{path}").status_code for path in (f"/{stem}", f"/x/{stem}/7")] == [
        200,
        200,
    ]


@pytest.mark.parametrize("folder", ["_lib", ".git", "__pycache__"])
def test_private_folders_can_have_any_module(root, folder):
    write_files(
        root, {"route.py": ECHO, f"{folder}/middleware/__init__.py": "", f"{folder}/route.so": ""}
    )
    assert found(root) == ([], [])


def test_unrelated_modules_are_the_users_own(root):
    names = ["lib.so", "lib/__init__.py", "lib/__init__.pyc", "my_route.pyd", "middleware.txt",
             "middleware.tar.gz", "route", "routes.pyc"]  # fmt: skip
    write_files(root, {"route.py": ECHO, **dict.fromkeys(names, "")})
    assert found(root) == ([], [])


# Names that are nearly right.


ROUTE = (
    "a/{} is not a route file and has no URL. Rename it to route.py if it should answer requests."
)
MIDDLEWARE = (
    "a/{} is not a middleware file and never runs. "
    "Rename it to middleware.py if it should run for the routes in its folder and below."
)
DEPENDENCIES = (
    "a/{} is not a dependencies file, so it defines no dependency. "
    "Rename it to dependencies.py if its functions should be arguments of handlers in its folder "
    "and below."
)


@pytest.mark.parametrize(
    ("names", "warning"),
    [
        (("routes.py", "router.py", "Route.py", "ROUTE.PY", "route.PY", "rout.py", "Routes.pyw"),
         ROUTE),
        (("middlewares.py", "_middleware.py", "Middleware.py", "MIDDLEWARE.PY", "midleware.py"),
         MIDDLEWARE),
        (("dependency.py", "Dependencies.py", "dependancies.py", "_dependencies.py"),
         DEPENDENCIES),
    ],
)  # fmt: skip
def test_a_similar_name_is_a_warning(root, names, warning):
    for name in names:
        write_files(root, {"a/b/route.py": ECHO, f"a/{name}": "", f"_lib/{name}": ""})
        assert found(root) == ([], [warning.format(name)])
        (root / "a" / name).unlink()


def test_other_names_are_no_near_misses(root):
    names = "root rotate my_route route_test page ware deps depends middle models conftest"
    write_files(root, {"route.py": ECHO, **{f"{name}.py": "" for name in names.split()}})
    assert found(root) == ([], [])


# Dependencies files.


def test_dependencies_files_are_part_of_a_tree(root):
    names = ["dependencies.py", "a/dependencies.py", "a/b/dependencies.py", "_lib/dependencies.py"]
    write_files(root, {**dict.fromkeys(names, ""), "a/b/[c]/route.py": ECHO})
    tree = discover(str(root))
    assert [source.file for source in tree.dependencies] == [
        "a/b/dependencies.py",
        "a/dependencies.py",
        "dependencies.py",
    ]
    assert (tree.problems, tree.warnings, tree.others) == ((), (), ())
    kept = tree.without({"a/b"})
    assert [source.file for source in kept.dependencies] == [
        "a/dependencies.py",
        "dependencies.py",
    ]


def test_dependencies_above_no_route_are_a_warning(root):
    write_files(root, {"a/route.py": ECHO, "b/dependencies.py": ""})
    assert found(root) == (
        [],
        [
            "b/dependencies.py applies to no route file: there is none in its folder or below. "
            "Move it to the folder of a route file or above, or remove it."
        ],
    )
    assert discover(str(root)).dependencies == ()


def test_a_broken_dependencies_file_is_refused(root, tmp_path):
    write_files(root, {"a/route.py": ECHO})
    write_files(tmp_path, {"elsewhere.py": ""})
    (root / "dependencies.py").symlink_to("nothing.py")
    (root / "a/dependencies.py").symlink_to(tmp_path / "elsewhere.py")
    problems, _ = found(root)
    assert [problem.split("\n")[:2] for problem in problems] == [
        [
            "a/dependencies.py",
            f"  The symbolic link points outside the root, to {tmp_path}/elsewhere.py.",
        ],
        ["dependencies.py", "  It is not a regular file, or it is a broken symbolic link."],
    ]


def test_a_folder_next_to_a_dependencies_file(tree):
    project = tree({"dependencies.py": ""}, "dependencies/x")
    (problem,) = refused(bare_app(project))
    assert problem.files == ("dependencies.py", "dependencies")
    assert problem.reason == (
        "The file and the folder have the same module name, 'dependencies', "
        "so Python cannot import anything in the folder."
    )
