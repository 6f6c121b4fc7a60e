"""The tasks of a contributor: ``nox -s tests``, ``nox -s lint``, or ``nox`` for the usual ones.

Each session has a virtual environment in ``.nox``. Arguments after ``--`` go to pytest:
``nox -s tests-3.13 -- -m "not soak"``.
"""

from __future__ import annotations

import shutil
import tarfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

import nox

nox.needs_version = ">=2024.4.15"
nox.options.default_venv_backend = "venv"
nox.options.error_on_missing_interpreters = True
nox.options.sessions = ["lint", "types", "tests-3.11", "docs"]

PYTHONS = ["3.11", "3.12", "3.13"]
OLDEST = PYTHONS[0]

#: The lower bounds in pyproject.toml, and the oldest watchdog that runs on the oldest Python.
LOWEST = [
    "flask==3.1.0",
    "werkzeug==3.1.8",
    "redis==5.0.0",
    "pydantic==2.11.0",
    "msgspec==0.19.0",
    "watchdog==6.0.0",
]


def install(session: nox.Session, *groups: str, requirements: Iterable[str] = ()) -> None:
    """Install the package in place, with dependency groups of pyproject.toml."""
    session.install("--quiet", "--upgrade", "pip")
    options = [f"--group={group}" for group in groups]
    session.install("--quiet", "--editable", ".", *options, *requirements)


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run the tests with the newest versions of everything."""
    install(session, "tests")
    session.run("pytest", *session.posargs)


@nox.session(python=OLDEST)
def lowest(session: nox.Session) -> None:
    """Run the tests with the oldest versions that are supported."""
    install(session, "tests", requirements=LOWEST)
    session.run("pytest", *session.posargs)


@nox.session(python=PYTHONS[-1])
def development(session: nox.Session) -> None:
    """Run the tests with the main branches of Flask and Werkzeug."""
    install(session, "tests")
    archive = "https://github.com/pallets/{}/archive/refs/heads/main.tar.gz"
    session.install("--quiet", *map(archive.format, ("werkzeug", "flask")))
    session.run("pytest", *session.posargs)


@nox.session(python=OLDEST)
def lint(session: nox.Session) -> None:
    """Check style and format."""
    session.install("--quiet", "ruff")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session(python=OLDEST)
def types(session: nox.Session) -> None:
    """Check types with mypy and pyright, and run the tests that need both."""
    install(session, "tests", "lint")
    session.run("mypy")
    session.run("pyright", "--pythonpath", f"{session.bin}/python")
    example = ["--root", "example_app/app/api", "example_app/__init__.py"]
    session.run("flask", "route-handlers", "typecheck", "--strict", *example)
    names = ("test_typing", "test_typed_urls", "test_tools", "contracts/test_typing")
    session.run("pytest", "-m", "not soak", *(f"tests/{name}.py" for name in names))


@nox.session(python=OLDEST)
def conformance(session: nox.Session) -> None:
    """Let linters, generators of clients and schemathesis read the documents of the samples."""
    install(session, "conformance")
    options = ["--ignore-scripts", "--no-audit", "--no-fund"]
    session.run("npm", "ci", "--prefix", "tests/conformance", *options)
    session.run("pytest", "-m", "conformance", "-rs", "tests/conformance", *session.posargs)
    session.run("pytest", "tests/test_comparison.py")


@nox.session(python=OLDEST)
def docs(session: nox.Session) -> None:
    """Build the documentation; a warning is an error."""
    install(session, "docs")
    target = session.posargs or [f"{session.create_tmp()}/html"]
    session.run("sphinx-build", "--quiet", "-W", "--keep-going", "-b", "html", "docs", *target)


@nox.session(python=OLDEST)
def build(session: nox.Session) -> None:
    """Build both distributions of the last commit into ``dist``, compare and test them.

    The tests of the source distribution are collected, and some run. The wheel is imported in
    an environment that has nothing else.
    """
    install(session, "tests")
    shutil.rmtree("dist", ignore_errors=True)
    folder = Path(session.create_tmp()).resolve()
    shutil.rmtree(folder)
    clone = str(folder / "clone")
    session.run("git", "clone", "--quiet", ".", clone, external=True)
    session.run("python", "-m", "build", "--outdir", "dist", clone, silent=True)
    [archive] = Path("dist").glob("*.tar.gz")
    [wheel] = Path("dist").resolve().glob("*.whl")
    with tarfile.open(archive) as opened:
        opened.extractall(folder, filter="data")
    source = folder / archive.name.removesuffix(".tar.gz")
    listed = session.run("git", "-C", clone, "ls-files", "-z", external=True, silent=True)
    check_distributions(session, set(str(listed).rstrip("\0").split("\0")), source, wheel)
    session.chdir(source)
    session.run("pytest", "--quiet", "--collect-only", silent=True)
    session.run("pytest", "--quiet", "tests/test_layers.py", "example_app/tests")
    session.chdir(folder)
    session.run("python", "-m", "venv", "fresh")
    python = str(folder / "fresh/bin/python")
    session.run(python, "-m", "pip", "install", "--quiet", str(wheel), external=True)
    session.run(python, "-c", IMPORT, external=True)


IMPORT = """
from importlib.resources import files
import flask_routehandlers
assert (files(flask_routehandlers) / "py.typed").is_file()
print("imported from", flask_routehandlers.__file__)
"""


def check_distributions(
    session: nox.Session, tracked: set[str], source: Path, wheel: Path
) -> None:
    """Compare what the distributions contain with what Git tracks."""
    # Files with a dot are about the repository.
    expected = {name for name in tracked if not name.startswith(".")}
    files = {path.relative_to(source).as_posix() for path in source.rglob("*") if path.is_file()}
    shipped = {name for name in files if name != "PKG-INFO" and ".egg-info/" not in name}
    if shipped != expected:
        session.error(f"the source distribution differs in {sorted(shipped ^ expected)}")
    with zipfile.ZipFile(wheel) as opened:
        installed = {name for name in opened.namelist() if ".dist-info/" not in name}
    package = {name for name in tracked if name.startswith("flask_routehandlers/")}
    if installed != package:
        session.error(f"the wheel differs in {sorted(installed ^ package)}")
