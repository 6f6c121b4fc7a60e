"""``flask route-handlers types``: a module whose ``url_for`` type checkers understand."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location

import flask
import pytest
from flask import Flask
from werkzeug.routing import BaseConverter

from flask_routehandlers import RouteHandlers
from flask_routehandlers.cli.types import make_source
from tests.commands import invoke
from tests.support import bare_app

OK = "def GET():\n    return 'ok'\n"

TREE = {
    "route.py": OK,
    "users/[id=int]/route.py": OK,
    "prices/[price=float]/route.py": OK,
    "things/[thing=uuid]/route.py": OK,
    "files/[...path]/route.py": OK,
    "docs/[[...page]]/route.py": OK,
    "reports/[year=int]-[month].csv/route.py": OK,
    "colours/[colour=hex]/route.py": OK,
}


class HexConverter(BaseConverter):
    regex = "[0-9a-f]+"


@pytest.fixture
def routed(tree):
    app = bare_app(tree(TREE))
    app.url_map.converters["hex"] = HexConverter
    RouteHandlers(app)
    return app


def arguments_of(source, endpoint):
    """The path parameters in the overload of an endpoint, as they are written."""
    _, _, rest = source.partition(f'endpoint: Literal["{endpoint}"],\n        *,\n')
    before, _, _ = rest.partition("        _anchor: ")
    return [line.strip(" ,") for line in before.splitlines()]


@pytest.mark.parametrize(
    ("endpoint", "arguments"),
    [
        ("api./", []),
        ("api./users/[id=int]", ["id: int"]),
        ("api./prices/[price=float]", ["price: float"]),
        ("api./things/[thing=uuid]", ["thing: UUID"]),
        ("api./files/[*path]", ["path: list[str] | tuple[str, ...]"]),
        ("api./docs/[[*page]]", ["page: list[str] | tuple[str, ...] = ()"]),
        ("api./reports/[year=int]-[month]%2Ecsv", ["year: int", "month: str"]),
        ("api./colours/[colour=hex]", ["colour: object"]),
    ],
)
def test_an_overload_has_the_path_parameters(routed, endpoint, arguments):
    assert endpoint in routed.view_functions
    assert arguments_of(make_source(routed), endpoint) == arguments


def test_the_overloads_are_sorted_by_endpoint(routed):
    lines = [line for line in make_source(routed).splitlines() if "endpoint: " in line]
    assert len(lines) == len(TREE)
    assert lines == sorted(lines)


def test_parameters_of_a_prefix_come_first(tree):
    app = bare_app(tree({"users/[id]/route.py": OK}))
    RouteHandlers(app, url_prefix="/<lang>/api")
    assert arguments_of(make_source(app), "api./users/[id]") == ["lang: str", "id: str"]


def test_a_prefix_that_the_app_fills_in_is_optional(tree):
    app = bare_app(tree({"users/[id]/route.py": OK}))
    app.url_defaults(lambda endpoint, values: values.setdefault("lang", "en"))
    RouteHandlers(app, url_prefix="/<lang>/api")
    assert arguments_of(make_source(app), "api./users/[id]") == ["lang: str = ...", "id: str"]


def test_trees_of_one_app_share_the_module(tree):
    app = bare_app(tree({"a/route.py": OK}))
    RouteHandlers(app)
    more = tree({"b/route.py": OK}) / "app/api"
    RouteHandlers(app, more, url_prefix="/more", name="more")
    source = make_source(app)
    assert 'Literal["api./a"]' in source
    assert 'Literal["more./b"]' in source


def test_one_route_needs_no_overload(tree):
    app = bare_app(tree({"users/[id=int]/route.py": OK}))
    RouteHandlers(app)
    assert (
        make_source(app)
        == '''\
"""URLs of the route files, for type checkers. Written by `flask route-handlers types`."""

# ruff: noqa
from __future__ import annotations

from typing import Literal, Protocol

import flask


class UrlFor(Protocol):
    """Build the URL of a route file."""

    def __call__(
        self,
        endpoint: Literal["api./users/[id=int]"],
        *,
        id: int,
        _anchor: str | None = None,
        _method: str | None = None,
        _scheme: str | None = None,
        _external: bool | None = None,
        **query: object,
    ) -> str: ...


url_for: UrlFor = flask.url_for
'''
    )


def test_the_function_is_that_of_flask(routed, tmp_path):
    file = tmp_path / "urls.py"
    assert invoke(routed, "types", file) == (0, f"Wrote {file}\n", "")
    spec = spec_from_file_location("urls_of_a_test", file)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.url_for is flask.url_for
    with routed.test_request_context():
        assert module.url_for("api./users/[id=int]", id=7, page=2) == "/api/users/7?page=2"


def test_check_says_whether_a_file_is_up_to_date(routed, tmp_path):
    file = tmp_path / "urls.py"
    outdated = f"{file} is not up to date. Run `flask route-handlers types {file}`.\n"
    assert invoke(routed, "types", file, "--check") == (1, outdated, "")
    assert not file.exists()
    invoke(routed, "types", file)
    assert invoke(routed, "types", file, "--check") == (0, "", "")
    file.write_text(file.read_text() + "\n")
    assert invoke(routed, "types", file, "--check") == (1, outdated, "")
    invoke(routed, "types", file)
    assert file.read_text() == make_source(routed)


def test_a_file_that_cannot_be_written_is_an_error(routed, tmp_path):
    file = tmp_path / "missing/urls.py"
    assert invoke(routed, "types", file) == (
        2,
        "",
        f"Error: Nothing is written: No such file or directory: {file}.\n",
    )


CALLS = """\
from urls import url_for

url_for("api./")
url_for("api./users/[id=int]", id=1, _anchor="top", page=2)
url_for("api./docs/[[*page]]")
url_for("api./docs/[[*page]]", page=["a"])
url_for("api./files/[*path]", path=("a", "b"))
url_for("api./users/[id]", id=1)  # wrong
url_for("api./users/[id=int]")  # wrong
url_for("api./users/[id=int]", id="1")  # wrong
url_for("api./files/[*path]", path="a/b")  # wrong
url_for("api./users/[id=int]", id=1, _external="yes")  # wrong
"""
WRONG = [number for number, line in enumerate(CALLS.splitlines(), 1) if "# wrong" in line]


def lines_of_errors(folder, *command):
    """The lines of ``calls.py`` that a type checker refuses."""
    done = subprocess.run(
        [sys.executable, "-m", *command, "calls.py", "urls.py"],
        cwd=folder, capture_output=True, encoding="utf-8", timeout=300,
    )  # fmt: skip
    errors = [
        line for line in done.stdout.splitlines() if ": error: " in line or "- error: " in line
    ]
    assert all("calls.py:" in line for line in errors), done.stdout
    assert done.returncode == 1, done.stdout + done.stderr
    return sorted({int(line.partition("calls.py:")[2].split(":")[0]) for line in errors})


@pytest.mark.ci
@pytest.mark.parametrize("checker", [("mypy", "--strict", "--hide-error-context"), ("pyright",)])
def test_type_checkers_refuse_wrong_calls(routed, tmp_path, checker):
    pytest.importorskip(checker[0])
    (tmp_path / "urls.py").write_text(make_source(routed))
    (tmp_path / "calls.py").write_text(CALLS)
    (tmp_path / "pyproject.toml").write_text('[tool.pyright]\ntypeCheckingMode = "strict"\n')
    assert lines_of_errors(tmp_path, *checker) == WRONG


def test_an_app_without_a_tree_has_nothing_to_write(tmp_path):
    status, output, errors = invoke(Flask("bare"), "types", tmp_path / "urls.py")
    assert (status, output) == (2, "")
    assert errors.startswith("Error: The app 'bare' has no tree of route files.")
