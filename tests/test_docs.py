"""README.md and docs/ show what happens: their code is run and their output compared.

A page is read from top to bottom. A block whose first line is a comment with a path,
``# app/api/users/[id]/route.py``, is written to a project folder; a ``literalinclude`` brings all
files of its project. Console and ``>>>`` blocks run in that folder, and ``curl`` asks a server
that runs the app.
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

import flask_routehandlers.testing
from flask_routehandlers import RouteHandlers
from flask_routehandlers.caching.settings import Settings
from flask_routehandlers.errors import EXTRAS
from flask_routehandlers.handlers.config import RouteConfig
from tests.pages import (
    DOCS,
    PAGES,
    REPOSITORY,
    Block,
    agrees,
    anchors,
    blocks,
    commands,
    links,
    table,
)
from tests.projects import ANY_HANDLER, Project, new_project, run_child
from tests.support import bare_app, write_files
from tests.test_layers import LAYERS

PACKAGE = Path(flask_routehandlers.__file__).parent

#: Pages whose commands are mypy and pytest, which take their time.
SLOW_PAGES = ("testing.md", "typing.md")

#: The page that examples give, in tests/test_messages.py.
GENERATED = DOCS / "messages.md"

#: Pages whose code is not run.
UNTESTED_PAGES = [
    REPOSITORY / name
    for name in ("CHANGES.md", "CONTRIBUTING.md", "SECURITY.md", "example_app/README.md")
]

#: Commands that are shown for the reader alone.
NOT_RUN = ("pip ", "git ", "flask run", "pyright", "python -m tests.benchmarks")

#: Kinds of blocks that are for the reader alone: JavaScript to compare with, directives.
NOT_CHECKED = ("text", "sh", "js", "json", "nginx")


@pytest.fixture
def project() -> Iterator[Project]:
    with new_project() as project:
        yield project


def outcomes(page: Path, project: Project) -> Iterator[tuple[Block, str, str]]:
    """Run a page; yield each block that shows an output with what it shows and what it gives."""
    for block in blocks(page):
        if block.file:
            project.add(block.file, block.text)
        elif block.kind.startswith("{literalinclude}"):
            for name, content in included(page.parent / block.kind.split()[1]):
                project.add(name, content)
        elif block.kind == "console":
            for command, shown in commands(block.text):
                if not command.startswith(NOT_RUN):
                    yield block, shown, project.run(command, shown)
        elif block.kind == "pycon":
            yield block, "", project.doctest(block.text)
        elif block.kind != "heading":
            is_directive = block.kind.startswith("{")
            assert is_directive or block.kind in NOT_CHECKED, f"{block.place}: which file is this?"


def included(file: Path) -> Iterator[tuple[str, str]]:
    """Yield the files of the project from which a page shows one."""
    [folder] = [parent for parent in file.parents if (parent / "wsgi.py").exists()]
    for each in folder.rglob("*.py"):
        yield each.relative_to(folder).as_posix(), each.read_text(encoding="utf-8")


def marked(page: Path) -> object:
    marks = [pytest.mark.ci] if page.name in SLOW_PAGES else []
    return pytest.param(page, id=page.name, marks=marks)


@pytest.mark.parametrize("page", [marked(page) for page in PAGES if page != GENERATED])
def test_a_page_shows_what_happens(page, project):
    differences = [
        f"{block.place} shows\n{shown}\nbut it is\n{real}"
        for block, shown, real in outcomes(page, project)
        if not agrees(shown, real)
    ]
    assert not differences, "\n\n".join(["", *differences])


@pytest.mark.parametrize("page", [*PAGES, *UNTESTED_PAGES], ids=lambda page: page.name)
def test_links_lead_to_files_and_headings(page):
    for target, anchor in links(page):
        assert target.exists()
        assert not anchor or anchor in anchors(target)


@pytest.mark.ci
def test_the_recipe_for_cors_is_typed(tmp_path):
    pytest.importorskip("mypy")
    files, heading = {}, ""
    for block in blocks(DOCS / "middleware.md"):
        if block.kind == "heading":
            heading = block.text
        elif heading == "### CORS" and block.file:
            files[block.file] = block.text
    write_files(tmp_path, files)
    call = [sys.executable, "-m", "flask", "route-handlers", "typecheck", "--strict"]
    status, output = run_child(call, tmp_path)
    assert status == 0, output
    assert "no issues found in 3 source files" in output


@pytest.mark.ci
def test_the_pages_build_without_a_warning(tmp_path):
    pytest.importorskip("sphinx")
    call = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", str(DOCS), str(tmp_path)]
    assert run_child(call, tmp_path) == (0, "")


def test_every_public_name_is_on_its_page():
    text = (DOCS / "api.md").read_text(encoding="utf-8")
    names = [*flask_routehandlers.__all__, *flask_routehandlers.testing.__all__]
    assert [name for name in names if name not in text] == []


def test_every_error_class_is_on_its_page():
    text = (DOCS / "errors.md").read_text(encoding="utf-8")
    public = map(flask_routehandlers.__dict__.get, flask_routehandlers.__all__)
    names = [each.__name__ for each in public if each.__module__.endswith(".errors")]
    assert len(names) > 3
    assert [name for name in names if name not in text] == []


@pytest.mark.parametrize(
    ("folders", "rules"),
    [row[:2] for row in table("routing.md", "folder", "rule")],
    ids=lambda cell: " ".join(cell),
)
def test_the_table_of_segments_shows_rules(folders, rules, tree):
    for folder in folders:
        app = bare_app(tree({}, folder))
        RouteHandlers(app, url_prefix="")
        assert [rule.rule for rule in app.url_map.iter_rules()] == rules


@pytest.mark.parametrize(
    ("root", "prefix", "name"), table("routing.md", "root", "prefix", "blueprint"), ids=str
)
def test_the_table_of_roots_shows_prefixes(root, prefix, name, tmp_path):
    write_files(tmp_path, {f"{root[0]}/route.py": ANY_HANDLER})
    app = bare_app(tmp_path)
    RouteHandlers(app, root=root[0])
    [mount] = app.extensions["routehandlers"].values()
    assert (mount.url_prefix, mount.name) == ("".join(prefix), "".join(name))


def test_the_table_of_settings_shows_defaults():
    shown = {row[0][0]: row[1][0] for row in table("static.md", "setting", "default")}
    defaults = {field.name.upper(): field.default for field in fields(Settings)}
    assert {name: ast.literal_eval(default) for name, default in shown.items()} == defaults


def test_the_table_of_route_config_is_complete():
    rows = table("static.md", "name", "value", "meaning")
    names = {cell for row in rows for cell in row[0]}
    assert names == set(RouteConfig._fields)


def test_the_page_on_reliability_names_tests():
    for cells in table("reliability.md", "test"):
        for name in cells[0]:
            assert list(REPOSITORY.glob(f"tests/**/{name}.py")), name


def test_extras_are_those_of_the_metadata():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for extra, requirements in project["optional-dependencies"].items():
        assert requirements == [EXTRAS[extra]]


@pytest.mark.parametrize("page", [*PAGES, *UNTESTED_PAGES], ids=lambda page: page.name)
def test_pages_install_what_hints_install(page):
    text = page.read_text(encoding="utf-8")
    names = {re.split(r"\W", requirement)[0] for requirement in EXTRAS.values()}
    for requirement in re.findall(r"pip install [\"']?([\w\[\]<>=.-]+)", text):
        name = re.split(r"[\W_]", requirement.lower())[0]
        assert name not in names or requirement in EXTRAS.values()
        assert not requirement.lower().startswith("flask-routehandlers")


def test_the_guide_lists_the_layers():
    text = (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rows = "\n".join(re.findall(r"^\| (`.*?) \|", text, re.M))
    names = [name.rstrip("/").removesuffix(".py") for name in re.findall("`([^`]*)`", rows)]
    layers = [layer for layer in LAYERS if layer != "__init__"]
    assert [name for name in names if name in layers] == layers
