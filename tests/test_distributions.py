"""Trees compared with what a distribution, built or installed, has of them."""

from __future__ import annotations

import sys
import tarfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from importlib import invalidate_caches
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.cli import ScriptInfo

from flask_routehandlers import RouteHandlers
from flask_routehandlers.cli import group
from flask_routehandlers.cli.check.distributions import Contents, find_installed
from flask_routehandlers.mount import mounts_of
from tests.support import write_files

GET = 'def GET() -> str:\n    """Say hello."""\n    return "hello"\n'
HINT = "Include the folder in the build backend's configuration, then build and install it again."

FILES = {
    "__init__.py": "",
    "app/api/route.py": GET,
    "app/api/middleware.py": "def middleware(call_next):\n    return call_next()\n",
    "app/api/[...path]/route.py": "def GET(path) -> str:\n    '''Give it.'''\n    return path\n",
    "app/api/a/route.py": GET,
    "app/api/a/helpers.py": "",
}


def check(app: Flask, *arguments: str) -> tuple[int, str]:
    info = ScriptInfo(create_app=lambda: app)
    result = CliRunner().invoke(group, ["check", *arguments], obj=info)
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, result.output


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of a package that can be imported, which is forgotten afterwards."""
    name = f"shop_{tmp_path.name}"
    site = tmp_path / "site"
    folder = write_files(site / name, FILES)
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.chdir(site)
    invalidate_caches()
    yield folder
    for module in [module for module in sys.modules if module.partition(".")[0] == name]:
        del sys.modules[module]


def app_of(package: Path) -> Flask:
    __import__(package.name)
    app = Flask(package.name, static_folder=None)
    RouteHandlers(app)
    return app


def install(site: Path, name: str, files: Iterable[str] | None) -> None:
    """What a package manager notes of a distribution with these files; ``None``: no record."""
    info = f"{name}-1.0.dist-info"
    write_files(site, {f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"})
    if files is not None:
        write_files(site, {f"{info}/RECORD": "".join(f"{file},,\n" for file in files)})


def all_of(package: Path, *but: str) -> list[str]:
    return [f"{package.name}/{file}" for file in FILES if file not in but]


# Installed ------------------------------------------------------------------------------------


def test_files_that_are_not_installed_are_warnings(package):
    lost = ("app/api/middleware.py", "app/api/[...path]/route.py", "app/api/a/helpers.py")
    install(package.parent, "my-shop", all_of(package, *lost))
    not_there = f"  warning: It is not in the installed my-shop 1.0. {HINT}\n"
    assert check(app_of(package)) == (
        0,
        f"{package.name}/app/api/[...path]/route.py\n{not_there}\n"
        f"{package.name}/app/api/middleware.py\n{not_there}\n"
        "3 route files: 2 warnings\n",
    )


def test_a_file_of_dependencies_that_is_not_installed(package):
    files = {
        "app/api/a/dependencies.py": "def item() -> int:\n    return 1\n",
        "app/api/a/route.py": "def GET(item: int) -> str:\n    return str(item)\n",
    }
    write_files(package, files)
    install(package.parent, "shop", all_of(package))
    assert check(app_of(package)) == (
        0,
        f"{package.name}/app/api/a/dependencies.py\n"
        f"  warning: It is not in the installed shop 1.0. {HINT}\n"
        "\n"
        "3 route files: 1 warning\n",
    )


def test_a_tree_that_is_not_installed_is_one_warning(package):
    install(package.parent, "shop", [f"{package.name}/__init__.py"])
    assert check(app_of(package)) == (
        0,
        f"{package.name}/app/api\n"
        f"  warning: None of its files is in the installed shop 1.0. {HINT}\n"
        "\n"
        "3 route files: 1 warning\n",
    )


def test_a_tree_that_is_installed_in_full(package):
    install(package.parent, "shop", all_of(package))
    assert check(app_of(package)) == (0, "3 route files: no problems found\n")


@pytest.mark.parametrize("has_record", [False, True], ids=["no record", "an editable one"])
def test_editable_installations_have_the_files_on_disk(package, has_record):
    editable = [f"__editable__.{package.name}.pth", f"{package.name}-1.0.dist-info/METADATA"]
    install(package.parent, "shop", editable if has_record else None)
    assert check(app_of(package)) == (0, "3 route files: no problems found\n")


def test_several_distributions_can_share_a_package(package):
    parts = all_of(package, "app/api/a/route.py")
    install(package.parent, "shop", parts[:2])
    install(package.parent, "shop-more", parts[2:])
    status, output = check(app_of(package))
    assert status == 0
    assert f"{package.name}/app/api/a/route.py\n  warning: It is not in the installed " in output
    assert "shop 1.0" in output
    assert "shop-more 1.0" in output
    assert output.endswith("\n3 route files: 1 warning\n")


def test_another_package_of_the_same_name(tmp_path, monkeypatch):
    name = f"app_{tmp_path.name}"
    site = tmp_path / "site"
    theirs = [f"{name}/models.py"]
    write_files(site, dict.fromkeys(theirs, ""))
    install(site, "theirs", theirs)
    project = write_files(tmp_path / "project", {f"{name}/api/x/route.py": GET})
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.syspath_prepend(str(project))
    app = Flask("wsgi_of_project", root_path=str(project), static_folder=None)
    RouteHandlers(app, f"{name}/api")
    [mount] = mounts_of(app)
    assert mount.module_name == f"{name}.api"
    assert find_installed(name) == Contents("the installed theirs 1.0", frozenset(theirs))
    assert check(app) == (0, "1 route file: no problems found\n")


def test_a_module_of_no_distribution():
    assert find_installed("no_module_of_this_name") is None


def test_a_module_of_one_file(tmp_path, monkeypatch):
    install(tmp_path, "one-file", ["one_file.py", '"one_dir,x/y.py"'])
    monkeypatch.syspath_prepend(str(tmp_path))
    found = find_installed("one_file")
    assert found is not None
    assert found.label == "the installed one-file 1.0"
    assert find_installed("one_dir") is None


# Built ----------------------------------------------------------------------------------------


def wheel(path: Path, files: Iterable[str]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for file in files:
            archive.writestr(file, "")
    return path


def sdist(path: Path, files: Iterable[str]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for file in files:
            archive.addfile(tarfile.TarInfo(file))
    return path


BUILT: dict[str, tuple[Callable[[Path, Iterable[str]], Path], str, str]] = {
    "a wheel": (wheel, "shop-1.0-py3-none-any.whl", ""),
    "a source distribution": (sdist, "shop-1.0.tar.gz", "shop-1.0/src/"),
}


@pytest.mark.parametrize(("pack", "name", "above"), BUILT.values(), ids=BUILT)
def test_files_missing_from_an_archive_are_errors(package, tmp_path, pack, name, above):
    every = [f"{above}{file}" for file in all_of(package)]
    app = app_of(package)
    complete = pack(tmp_path / name, [*every, f"{above}setup.py", "other/app/api/x/route.py"])
    assert check(app, "--wheel", str(complete)) == (0, "3 route files: no problems found\n")
    some = [file for file in every if "[...path]" not in file]
    assert check(app, "--wheel", str(pack(tmp_path / name, some))) == (
        1,
        f"{package.name}/app/api/[...path]/route.py\n"
        f"  error: It is not in {name}. {HINT}\n"
        "\n"
        "3 route files: 1 error\n",
    )
    none = [file for file in every if "/app/" not in file]
    for files in (none, ["x.py"], []):
        assert check(app, "--wheel", str(pack(tmp_path / name, files))) == (
            1,
            f"{package.name}/app/api\n"
            f"  error: None of its files is in {name}. {HINT}\n"
            "\n"
            "3 route files: 1 error\n",
        )


def test_a_tree_without_an_app_is_compared_too(package, tmp_path):
    built = wheel(tmp_path / "shop.whl", all_of(package, "app/api/a/route.py"))
    arguments = ["check", "--root", f"{package.name}/app/api", "--wheel", str(built)]
    result = CliRunner().invoke(group, arguments)
    assert result.exit_code == 1
    assert f"{package.name}/app/api/a/route.py\n  error: It is not in shop.whl. " in result.output


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "[Errno 2] No such file or directory: '{}'"),
        ("no archive", "{} is neither a wheel nor a source distribution."),
    ],
)
def test_a_file_that_is_no_distribution(package, tmp_path, content, said):
    path = tmp_path / "shop.whl"
    if content:
        path.write_text(content)
    status, output = check(app_of(package), "--wheel", str(path))
    assert status == 2
    assert output.endswith(f"\nError: Invalid value for --wheel: {said.format(path)}\n")


@pytest.mark.parametrize(
    ("root", "files", "folder"),
    [
        ("/srv/src/shop/app/api", ["shop/app/api/route.py"], "shop/app/api"),
        ("/srv/src/shop/app/api", ["s-1/src/shop/app/api/route.py"], "s-1/src/shop/app/api"),
        ("/srv/shop/app/api", ["a/api/x.py", "shop/app/api/x.py", "b/app/api/x.py"],
         "shop/app/api"),
        ("/srv/shop/app/api", ["x/app/api/x.py", "app/api/x.py"], "app/api"),
        ("/srv/shop/app/api", ["other/x.py"], None),
        ("/srv/shop/app/api", [], None),
    ],
)  # fmt: skip
def test_a_root_is_found_by_its_last_folders(root, files, folder):
    assert Contents("", frozenset(files)).folder_of(root) == folder
