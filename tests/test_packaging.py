"""Apps that are installed: what their wheels contain, and what they serve from there.

Each project is one of ``samples/packaging``: the ``pyproject.toml`` of a build backend, and the
tree that all of them share. Backends run as they are installed, so nothing here needs the network.
"""

from __future__ import annotations

import compileall
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

import flask_routehandlers
from tests.support import ECHO, bare_app, refused, write_files

SAMPLES = Path(__file__).parent / "samples/packaging"
PAGE = Path(__file__).parents[1] / "docs/packaging.md"
BACKENDS = ("setuptools", "hatchling", "uv_build")

#: Every file of the sample's package, with the package's name in front.
FILES = {
    path.relative_to(SAMPLES / "src").as_posix()
    for path in (SAMPLES / "src").rglob("*")
    if path.is_file() and "__pycache__" not in path.parts
}

KEY = {"X-Key": "open sesame"}
#: For each route a URL and headers, and what is answered.
ANSWERS: list[tuple[str, Mapping[str, str], int, str]] = [
    ("/api/products", {}, 200, '[{"id":1,"name":"Pen"},{"id":2,"name":"Ink"}]\n'),
    ("/api/products/2", {}, 200, '{"id":2,"name":"Ink"}\n'),
    ("/api/stock", KEY, 200, '{"Ink":7,"Pen":7}\n'),
    ("/files/a/b.txt", {}, 200, '{"path":["a","b.txt"]}\n'),
    ("/help", {}, 200, '{"page":[],"text":"Write to us.\\n"}\n'),
    ("/help/a/b", {}, 200, '{"page":["a","b"],"text":"Write to us.\\n"}\n'),
    ("/reports/2026.csv", {}, 200, "year\n2026\n"),
    ("/.well-known/security.txt", {}, 200, "Contact: mailto:security@example.com\n"),
    (
        "/sitemap.xml",
        {},
        200,
        '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
        "  <url><loc>http://localhost/api/products/1</loc></url>\n"
        "  <url><loc>http://localhost/api/products/2</loc></url>\n"
        "</urlset>",
    ),
]

SERVE = """
import json, sys
from flask import request
import shop

app = shop.create_app()
client = app.test_client()
answers, endpoints = [], set()
for url, headers in json.load(sys.stdin):
    with client:
        response = client.get(url, headers=headers)
        answers.append([response.status_code, response.get_data(as_text=True)])
        endpoints.add(request.endpoint)
unasked = set(app.view_functions) - endpoints - {"static"}
json.dump({"from": shop.__file__, "answers": answers, "unasked": sorted(unasked)}, sys.stdout)
"""


def run(call: list[str], folder: Path, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command as in a shell that knows neither this process nor the repository."""
    left_out = ("PYTHON", "PYTEST_", "FLASK_", "COV_")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(left_out)}
    # Where uv_build looks for its program.
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment |= {"LC_ALL": "C.UTF-8", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    options = {"capture_output": True, "encoding": "utf-8", "timeout": 120} | options
    return subprocess.run(call, cwd=folder, env=environment, **options)


def succeed(call: list[str], folder: Path, **options: Any) -> str:
    done = run(call, folder, **options)
    assert done.returncode == 0, f"{call}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture
def new_project(tmp_path: Path) -> Callable[..., Path]:
    """A project of the sample's package: ``new_project(the text of pyproject.toml)``.

    The package is below ``src``, or next to ``pyproject.toml`` if ``flat``. It has been run: there
    is bytecode, which does not belong into a wheel.
    """

    def new(pyproject: str, *, flat: bool = False) -> Path:
        project = tmp_path / "project"
        sources = shutil.copytree(SAMPLES / "src", project / ("" if flat else "src"))
        compileall.compile_dir(sources, quiet=1)
        write_files(project, {"pyproject.toml": pyproject})
        return project

    return new


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """A new virtual environment, without the sample; Flask and the rest come from that of the
    tests. Its interpreter is given."""
    folder = tmp_path / "environment"
    venv.create(folder, symlinks=True)
    places = sysconfig.get_paths(vars={"base": str(folder), "platbase": str(folder)})
    shared = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    shared.add(str(Path(flask_routehandlers.__file__).parents[1]))
    Path(places["purelib"], "shared.pth").write_text("\n".join(sorted(shared)), encoding="utf-8")
    return Path(places["scripts"], "python")


def sample(backend: str) -> str:
    return (SAMPLES / backend / "pyproject.toml").read_text(encoding="utf-8")


def build(project: Path) -> Path:
    """The wheel of a project, made from its sources."""
    call = [sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", "dist"]
    succeed(call, project)
    (wheel,) = (project / "dist").glob("*.whl")
    return wheel


def files_in(wheel: Path) -> set[str]:
    """The files of a wheel's package."""
    with zipfile.ZipFile(wheel) as archive:
        return {n for n in archive.namelist() if n.startswith("shop/") and not n.endswith("/")}


def install(interpreter: Path, *what: str) -> None:
    call = [sys.executable, "-m", "pip", "--python", str(interpreter), "install", "--quiet"]
    options = ["--no-index", "--no-deps", "--no-build-isolation"]
    succeed([*call, *options, *what], interpreter.parent)


def serve(interpreter: Path) -> Any:
    """What the installed app answers to each of the requests."""
    asked = json.dumps([(url, headers) for url, headers, _, _ in ANSWERS])
    call = [str(interpreter), "-W", "error", "-c", SERVE]
    return json.loads(succeed(call, interpreter.parent, input=asked))


#: What the commands of the page say of a wheel that has everything.
COMPLETE = [(0, "8 route files: no problems found\n"), (0, "")]

#: What setuptools says about folders that could be packages and are data.
WARNING = "is absent from the `packages` configuration"


# The samples


@pytest.mark.ci
@pytest.mark.parametrize("backend", BACKENDS)
def test_an_installed_wheel_serves_every_route(backend, new_project, environment):
    wheel = build(new_project(sample(backend)))
    assert files_in(wheel) == FILES
    install(environment, str(wheel))
    served = serve(environment)
    assert served["answers"] == [[status, text] for _, _, status, text in ANSWERS]
    assert served["unasked"] == []
    assert Path(served["from"]).is_relative_to(environment.parents[1])


@pytest.mark.ci
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_wheel_from_an_sdist_has_every_file(backend, new_project, environment):
    project = new_project(sample(backend))
    assert compare(project, environment) == COMPLETE
    (wheel,) = project.glob("dist/check/*.whl")
    assert files_in(wheel) == FILES
    assert WARNING not in log_of(project)


@pytest.mark.ci
@pytest.mark.parametrize("backend", BACKENDS)
def test_editable_installations_serve_every_route(backend, new_project, environment):
    project = new_project(sample(backend))
    install(environment, "--editable", str(project))
    write_files(project / "src/shop/app", {"[...new]/route.py": ECHO, "x.y/route.py": ECHO})
    served = serve(environment)
    assert served["answers"] == [[status, text] for _, _, status, text in ANSWERS]
    assert served["unasked"] == ["app./[*new]", "app./x%2Ey"]
    assert served["from"] == f"{project}/src/shop/__init__.py"


@pytest.mark.ci
def test_strict_editable_installations_serve_links(new_project, environment):
    project = new_project(sample("setuptools"))
    install(environment, "--editable", str(project), "--config-settings", "editable_mode=strict")
    served = serve(environment)
    assert served["answers"] == [[status, text] for _, _, status, text in ANSWERS]
    assert served["unasked"] == []
    (route,) = project.glob("build/__editable__*/shop/app/api/products/route.py")
    assert route.is_symlink()


@pytest.mark.ci
def test_setuptools_warns_about_folders_of_data(new_project, environment):
    told = "include-package-data = false\n"
    assert told in sample("setuptools")
    project = new_project(sample("setuptools").replace(told, ""))
    assert compare(project, environment) == COMPLETE
    assert WARNING in log_of(project)


# The trap

SETUPTOOLS = sample("setuptools").partition("[tool.setuptools]")[0]
FIND = f'{SETUPTOOLS}[tool.setuptools.packages.find]\nwhere = ["src"]\n'


def lost_below_src(file: PurePosixPath) -> bool:
    return file.suffix != ".py" or any("." in folder for folder in file.parts[:-1])


def lost_next_to_pyproject(file: PurePosixPath) -> bool:
    return file.suffix != ".py" or not all(folder.isidentifier() for folder in file.parts[:-1])


def lost_below_the_package(file: PurePosixPath) -> bool:
    return file.parts[1:] != ("__init__.py",)


#: What a project says to setuptools, where its package is, and which files its wheel lacks.
TRAPS = {
    "nothing, src": (SETUPTOOLS, False, lost_below_src),
    "nothing, flat": (SETUPTOOLS, True, lost_next_to_pyproject),
    "find": (FIND, False, lost_below_src),
    "find, no namespaces": (f"{FIND}namespaces = false\n", False, lost_below_the_package),
    "packages": (
        f'{SETUPTOOLS}[tool.setuptools]\npackages = ["shop"]\npackage-dir = {{ "" = "src" }}\n',
        False,
        lost_below_the_package,
    ),
}


@pytest.mark.ci
@pytest.mark.parametrize(("pyproject", "flat", "is_lost"), TRAPS.values(), ids=TRAPS)
def test_setuptools_leaves_routes_out_by_default(pyproject, flat, is_lost, new_project):
    wheel = build(new_project(pyproject, flat=flat))
    lost = {file for file in FILES if is_lost(PurePosixPath(file))}
    assert any(file.endswith("/route.py") for file in lost)
    assert files_in(wheel) == FILES - lost


@pytest.mark.ci
@pytest.mark.parametrize("flat", [False, True], ids=["src", "flat"])
def test_routes_that_are_missing_are_404(flat, new_project, environment):
    install(environment, str(build(new_project(SETUPTOOLS, flat=flat))))
    answers = serve(environment)["answers"]
    found = {url: status for (url, *_), (status, _) in zip(ANSWERS, answers, strict=True)}
    kept = {"/api/products"} if flat else {"/api/products", "/api/products/2", "/api/stock"}
    assert found == {url: 200 if url in kept else 404 for url in found}


@pytest.mark.ci
def test_a_pattern_for_routes_loses_middleware(new_project, environment):
    everything = '["**/*", "**/.*/**/*"]'
    pyproject = sample("setuptools")
    assert everything in pyproject
    routes = pyproject.replace(everything, '["app/**/route.py", "app/_lib/*.py"]')
    project = new_project(routes)
    install(environment, str(build(project)))
    code = "import shop; print(shop.create_app().test_client().get('/api/stock').status_code)"
    call = [str(environment), "-c", code]
    assert succeed(call, project / "src") == "401\n"
    assert succeed(call, environment.parent) == "200\n"


@pytest.mark.ci
@pytest.mark.parametrize(("ignored", "is_kept"), [("downloads/", False), ("/downloads/", True)])
def test_hatchling_leaves_out_what_git_ignores(ignored, is_kept, new_project):
    project = new_project(sample("hatchling"))
    write_files(project, {".gitignore": ignored, "src/shop/app/downloads/route.py": ECHO})
    assert ("shop/app/downloads/route.py" in files_in(build(project))) == is_kept


@pytest.mark.ci
def test_uv_build_takes_what_git_ignores(new_project):
    project = new_project(sample("uv_build"))
    write_files(project, {".gitignore": "downloads/", "src/shop/app/downloads/route.py": ECHO})
    assert "shop/app/downloads/route.py" in files_in(build(project))


# The page


def shown(kind: str) -> list[str]:
    """The blocks of a kind on the page."""
    text = PAGE.read_text(encoding="utf-8")
    return re.findall(f"^```{kind}\n(.*?)^```$", text, re.M | re.S)


def compare(project: Path, interpreter: Path) -> list[tuple[int, str]]:
    """Run the commands with which the page begins: for each block the exit status and output."""
    python = shlex.quote(str(interpreter))
    results = []
    for commands in shown("sh"):
        commands = re.sub("(python -m build .*)", r"\1 --no-isolation >../log 2>&1", commands)
        commands = re.sub("^flask ", "python -m flask ", commands, flags=re.M)
        commands = re.sub("^python ", f"{python} ", commands, flags=re.M)
        done = run(["sh", "-euc", commands], project)
        assert done.stderr == ""
        results.append((done.returncode, done.stdout))
    return results


def log_of(project: Path) -> str:
    """What the build said, when :func:`compare` ran it."""
    return (project.parent / "log").read_text(encoding="utf-8")


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_page_shows_the_samples(backend):
    assert f"# pyproject.toml\n{sample(backend)}" in shown("toml")


def test_the_page_shows_the_package_of_the_samples():
    code = (SAMPLES / "src/shop/__init__.py").read_text(encoding="utf-8").partition("\n\n")[2]
    (block,) = shown("python")
    assert block.split() == ["#", "src/shop/__init__.py", *code.split()]


@pytest.mark.ci
def test_the_commands_of_the_page_find_what_is_lost(new_project, environment):
    check, diff = shown("text")[:2]
    assert compare(new_project(SETUPTOOLS), environment) == [(1, check), (1, diff)]


# Zip archives

IN_ARCHIVE = (
    "The root {root} is inside the zip archive {archive}, but route files are read from folders.\n"
    "  Unpack the archive, or install the app with pip, and start it from there."
)


def test_an_app_in_a_zip_archive_is_refused(tmp_path, environment):
    archive = shutil.make_archive(str(tmp_path / "shop"), "zip", SAMPLES / "src")
    code = f"import sys; sys.path.insert(0, {archive!r}); import shop; shop.create_app()"
    done = run([str(environment), "-c", code], tmp_path)
    assert done.returncode == 1
    root = f"{archive}/shop/app"
    assert done.stderr.endswith(
        f"RouteTreeError: 1 problem in {root}:\n\n"
        f"shop.zip/shop/app\n  {IN_ARCHIVE.format(root=root, archive=archive)}\n"
    )


def test_a_zipapp_is_refused(tmp_path, environment):
    source = shutil.copytree(SAMPLES / "src", tmp_path / "src")
    archive = f"{tmp_path}/shop.pyz"
    call = [str(environment), "-m", "zipapp", str(source), "--main", "shop:create_app"]
    succeed([*call, "--output", archive], tmp_path)
    done = run([str(environment), archive], tmp_path)
    assert done.returncode == 1
    root = f"{archive}/shop/app"
    assert IN_ARCHIVE.format(root=root, archive=archive) in done.stderr


@pytest.mark.parametrize("root", ["app/api", "app", "a/b/c"])
def test_a_root_in_an_archive_of_any_name_and_depth(root, tmp_path):
    archive = tmp_path / "program"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("app/api/route.py", ECHO)
    (problem,) = refused(bare_app(archive), root)
    place = f"{archive}/{root}"
    assert str(problem) == f"{place}\n  {IN_ARCHIVE.format(root=place, archive=archive)}"


def test_a_root_below_another_file_does_not_exist(tmp_path):
    write_files(tmp_path, {"notes.txt": "PK, but no archive"})
    (problem,) = refused(bare_app(tmp_path / "notes.txt"))
    assert problem.reason == f"The root {tmp_path}/notes.txt/app/api does not exist."


def test_an_archive_instead_of_the_root_is_a_file(tmp_path):
    root = shutil.make_archive(str(tmp_path / "api"), "zip", SAMPLES / "src")
    (problem,) = refused(bare_app(tmp_path), "api.zip")
    assert problem.reason == f"The root {root} is a file."
