"""Route files are ordinary modules: their names, their loading, and what happens when it fails."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import json
import os
import pickle
import re
import subprocess
import sys
import threading
import traceback
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from unittest import mock
from urllib.error import HTTPError

import pytest
from flask import Flask

from flask_routehandlers import RouteHandlers, RouteImportError, RouteTreeError
from tests.support import bare_app, refused, write_files

#: A route file that returns the name of its module.
NAME = "def GET(**values): return __name__\n"

#: At the head of a file: count how often it is executed, slowly enough for others to get in.
COUNTED = """
import time
with open(__file__ + ".runs", "a") as runs:
    runs.write("x")
time.sleep(0.02)
"""


def runs(file: Path) -> int:
    return len(Path(f"{file}.runs").read_text())


def served(app: Flask, path: str) -> str:
    response = app.test_client().get(path)
    assert response.status_code == 200
    return response.text


def module_of(app: Flask, endpoint: str):
    return app.view_functions[endpoint].module


def root_name(app: Flask, name: str = "api") -> str:
    return app.extensions["routehandlers"][name].module_name


def python(folder: Path, *arguments: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    """Run Python in a folder, as a user does in a project."""
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=folder, text=True, capture_output=True, timeout=timeout)


# The names of modules.


@pytest.mark.parametrize(
    ("folders", "part"),
    [
        ("users", "users"),
        ("users/[id]", "users.[id]"),
        ("[id=int]/x", "[id=int].x"),
        ("(admin)/users", "(admin).users"),
        ("[...path]", "[___path]"),
        ("a/[[...path]]", "a.[[___path]]"),
        ("sitemap.xml", "sitemap_xml"),
        (".well-known/jwks.json", "_well-known.jwks_json"),
        ("report-[year=int].csv", "report-[year=int]_csv"),
        ("v1.0/[id].json/x", "v1_0.[id]_json.x"),
        ("%5Fname", "%5Fname"),
        ("日本/class", "日本.class"),
    ],
)
def test_module_names_are_the_names_of_folders(make_app, folders, part):
    app = make_app({f"{folders}/route.py": NAME})
    [route] = app.extensions["routehandlers"]["api"].routes
    module = route.view.module
    assert module.__name__ == f"{root_name(app)}.{part}.route"
    assert module.__package__ == f"{root_name(app)}.{part}"
    assert module.__spec__.name == module.__name__
    assert module.__file__ == str(Path(app.root_path, "app/api", folders, "route.py"))
    assert sys.modules[module.__name__] is module
    assert importlib.import_module(module.__name__) is module


MAIN = """
from flask import Flask
from flask_routehandlers import RouteHandlers
application = Flask(__name__)
RouteHandlers(application, {root!r}, url_prefix="/api")
"""


@pytest.mark.parametrize(
    ("main", "root", "files", "name"),
    [
        ("pkg1.main", "app/api", ["pkg1/__init__.py"], "pkg1.app.api"),
        ("pkg2", "app/api", [], "pkg2.app.api"),
        ("pkg3.main", "api", ["pkg3/__init__.py", "pkg3/api/__init__.py"], "pkg3.api"),
        (
            "pkg4.inner.main",
            "app/api",
            ["pkg4/__init__.py", "pkg4/inner/__init__.py"],
            "pkg4.inner.app.api",
        ),
        (
            "pkg5.inner.main",
            "../app/api",
            ["pkg5/__init__.py", "pkg5/inner/__init__.py"],
            "pkg5.app.api",
        ),
        ("ns1.main", "app/api", [], "ns1.app.api"),
        ("ns2.inner.main", "app/api", [], "ns2.inner.app.api"),
        ("ns3.inner.main", "app/api", ["ns3/inner/__init__.py"], "ns3.inner.app.api"),
        ("main6", "site6/api", [], "site6.api"),
        ("main7", "site7/v1.0/api", [], "site7.v1_0.api"),
        ("main8", "v8.0/app/api", [], "v8_0.app.api"),
        ("pkg9.main", "v1.0/app/api", ["pkg9/__init__.py"], "pkg9.v1_0.app.api"),
        ("pkg10.main", "../elsewhere10/api", ["pkg10/__init__.py"], "elsewhere10.api"),
    ],
)
def test_a_root_has_its_natural_name(tmp_path, monkeypatch, main, root, files, name):
    project = write_files(tmp_path / "project", dict.fromkeys(files, ""))
    path = f"{main.replace('.', '/')}.py"
    if main == "pkg2":
        path = "pkg2/__init__.py"
    write_files(project, {path: MAIN.format(root=root)})
    write_files(project / os.path.dirname(path) / root, {"[id]/route.py": NAME})
    monkeypatch.syspath_prepend(project)
    app = importlib.import_module(main).application
    assert served(app, "/api/3") == f"{name}.[id].route"
    between = name.rpartition(".")[0]
    assert importlib.import_module(between).__name__ == between


def test_the_deepest_path_entry_names_a_root(tmp_path, monkeypatch):
    files = {"src/deep1/api/x/route.py": NAME, "src/deep1/other.py": ""}
    project = write_files(tmp_path / "deep0", files)
    for folder in (project / "src", project, tmp_path):
        monkeypatch.syspath_prepend(folder)
    app = bare_app(project)
    RouteHandlers(app, "src/deep1/api")
    assert served(app, "/x") == "deep1.api.x.route"


def test_a_path_entry_with_another_package(tmp_path, monkeypatch):
    write_files(tmp_path, {"first/deep2/__init__.py": "", "second/deep2/api/x/route.py": NAME})
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.syspath_prepend(tmp_path / "second")
    monkeypatch.syspath_prepend(tmp_path / "first")
    app = bare_app(tmp_path)
    RouteHandlers(app, "second/deep2/api")
    assert served(app, "/x") == "second.deep2.api.x.route"


def test_a_package_loaded_from_elsewhere(tmp_path, monkeypatch):
    write_files(tmp_path, {"old/deep3/__init__.py": "", "new/deep3/api/x/route.py": NAME})
    monkeypatch.syspath_prepend(tmp_path / "old")
    importlib.import_module("deep3")
    monkeypatch.syspath_prepend(tmp_path / "new")
    app = bare_app(tmp_path / "new")
    RouteHandlers(app, "deep3/api")
    assert re.fullmatch(r"_routehandlers_[0-9a-f]{8}\.deep3\.api\.x\.route", served(app, "/x"))


def test_a_path_entry_that_is_the_root_itself(tmp_path, monkeypatch):
    write_files(tmp_path, {"deep4/x/route.py": NAME})
    monkeypatch.syspath_prepend(tmp_path / "deep4")
    app = bare_app(tmp_path)
    RouteHandlers(app, "deep4")
    assert re.fullmatch(r"_routehandlers_[0-9a-f]{8}\.deep4\.x\.route", served(app, "/x"))


def test_a_root_that_nothing_can_import(tmp_path):
    write_files(
        tmp_path,
        {
            "one/app/api/x/route.py": NAME,
            "one/app/lib.py": "VALUE = 'shared'",
            "one/app/api/y/route.py": "from ...lib import VALUE\ndef GET(): return VALUE",
            "two/app/api/x/route.py": NAME,
            "far/x/route.py": NAME,
        },
    )
    one, two, again = (bare_app(tmp_path / name) for name in ("one", "two", "one"))
    for app in (one, two, again):
        RouteHandlers(app)
    far = bare_app(tmp_path / "one")
    RouteHandlers(far, tmp_path / "far")
    names = [served(app, "/api/x") for app in (one, two, again)]
    assert all(re.fullmatch(r"_routehandlers_[0-9a-f]{8}\.app\.api\.x\.route", n) for n in names)
    assert names[0] == names[2] != names[1]
    assert re.fullmatch(r"_routehandlers_[0-9a-f]{8}\.x\.route", served(far, "/x"))
    assert served(one, "/api/y") == "shared"


def test_the_variable_app_stays_the_app(tmp_path, monkeypatch):
    # To import the folder pkg11/app is to set an attribute "app" of the package.
    code = MAIN.format(root="app/api").replace("application", "app")
    files = {"pkg11/__init__.py": code, "pkg11/app/api/x/route.py": NAME}
    monkeypatch.syspath_prepend(write_files(tmp_path, files))
    app = importlib.import_module("pkg11").app
    assert isinstance(app, Flask)
    assert served(app, "/api/x") == "pkg11.app.api.x.route"


def test_the_first_name_of_a_root_stays(tmp_path, monkeypatch):
    file = write_files(tmp_path, {"deep5/api/x/route.py": COUNTED + NAME}) / "deep5/api/x/route.py"
    first, second = bare_app(tmp_path), bare_app(tmp_path)
    RouteHandlers(first, "deep5/api")
    monkeypatch.syspath_prepend(tmp_path)
    RouteHandlers(second, "deep5/api")
    assert served(first, "/x") == served(second, "/x")
    assert runs(file) == 1


def test_two_projects_with_one_module_name(tmp_path, monkeypatch):
    for project in ("service1", "service2"):
        code = f"from ..lib import NAME\ndef GET(): return '{project}' + NAME"
        files = {"joint/api/x/route.py": code, "joint/api/lib.py": f"NAME = ' {project}'"}
        monkeypatch.syspath_prepend(write_files(tmp_path / project, files))
    for project in ("service1", "service2"):
        app = bare_app(tmp_path / project)
        RouteHandlers(app, "joint/api")
        assert served(app, "/x") == f"{project} {project}"


@pytest.mark.parametrize("importable", [True, False])
@pytest.mark.parametrize("folders", [("d{}.0", "d{}_0"), ("d{}_0", "d{}.0")])
def test_two_roots_that_differ_only_in_a_dot(tmp_path, monkeypatch, importable, folders, tree):
    project = tree()
    if importable:
        monkeypatch.syspath_prepend(project)
    folders = [folder.format(project.name) for folder in folders]
    for folder in folders:
        write_files(project / folder, {"x/route.py": f"def GET(): return '{folder}'"})
        app = bare_app(project)
        RouteHandlers(app, folder, name="any")
        assert served(app, "/x") == folder


# A file that hides the root.


def test_a_file_that_hides_the_root_is_refused(tmp_path, monkeypatch):
    write_files(tmp_path, {"hidden1.py": "", "hidden1/api/x/route.py": NAME})
    monkeypatch.syspath_prepend(tmp_path)
    [problem] = refused(bare_app(tmp_path), "hidden1/api")
    assert problem.files == (str(tmp_path / "hidden1.py"), str(tmp_path / "hidden1"))
    assert problem.reason == (
        "The file hidden1.py and the folder hidden1/ next to it have the same module name, "
        "'hidden1', so Python cannot import anything in the folder."
    )
    assert problem.hint == "Rename hidden1.py, for example to hidden1_.py."


def test_a_file_that_hides_a_folder_of_a_package(tmp_path, monkeypatch):
    files = {
        "hidden2/__init__.py": "",
        "hidden2/app.py": MAIN.format(root="app/api"),
        "hidden2/app/api/x/route.py": NAME,
    }
    monkeypatch.syspath_prepend(write_files(tmp_path, files))
    with pytest.raises(RouteTreeError) as caught:
        importlib.import_module("hidden2.app")
    assert str(caught.value) == (
        f"1 problem in {tmp_path}/hidden2/app/api:\n\n"
        f"{tmp_path}/hidden2/app.py\n"
        f"{tmp_path}/hidden2/app\n"
        "  The file app.py and the folder app/ next to it have the same module name, "
        "'hidden2.app', so Python cannot import anything in the folder.\n"
        "  Rename app.py, for example to wsgi.py: flask run finds the app there too."
    )


APP_PY = f"""{MAIN.format(root="app/api")}
if __name__ == "__main__":
    print(application.test_client().get("/api/x").text)
"""


def test_flask_run_with_app_py_next_to_app(tmp_path):
    files = {"app.py": APP_PY, "app/api/x/route.py": NAME}
    done = python(write_files(tmp_path, files), "-m", "flask", "run", "--port", "0")
    assert done.returncode == 1
    assert done.stderr == (
        f"Error: 1 problem in {tmp_path}/app/api:\n\n"
        "app.py\n"
        "app\n"
        "  The file app.py and the folder app/ next to it have the same module name, 'app', "
        "so Python cannot import anything in the folder.\n"
        "  Rename app.py, for example to wsgi.py: flask run finds the app there too.\n"
    )
    (tmp_path / "app.py").rename(tmp_path / "wsgi.py")
    done = python(tmp_path, "-m", "flask", "routes")
    assert (done.returncode, done.stderr) == (0, "")
    assert "/api/x" in done.stdout


@pytest.mark.ci
def test_app_py_next_to_a_package_named_app(tmp_path):
    files = {"app.py": APP_PY, "app/__init__.py": "", "app/api/x/route.py": NAME}
    done = python(write_files(tmp_path, files), "-m", "flask", "run", "--port", "0")
    assert done.returncode != 0
    assert "Failed to find Flask application or factory in module 'app'" in done.stderr
    # Without Flask's command nothing is in the way: the folder is what Python imports.
    done = python(tmp_path, "app.py")
    assert (done.stdout, done.stderr) == ("app.api.x.route\n", "")


@contextmanager
def flask_run(project: Path, *options: str):
    """``flask run`` in a project; its address is given, and it runs till the end."""
    arguments = [sys.executable, "-m", "flask", "run", "--port", "0", *options]
    with subprocess.Popen(arguments, cwd=project, stderr=subprocess.PIPE, text=True) as process:
        try:
            lines = iter(process.stderr.readline, "")
            found = (re.search(r"Running on (http://127\.0\.0\.1:\d+)", line) for line in lines)
            yield next(filter(None, found))[1]
            assert process.poll() is None
        finally:
            process.terminate()
            process.stderr.read()


@pytest.mark.ci
def test_an_exit_in_a_route_file_ends_no_server(tmp_path):
    files = {
        "wsgi.py": MAIN.format(root="app/api"),
        "app/api/x/route.py": NAME,
        "app/api/exit/route.py": "import sys\nsys.exit(3)",
    }
    project = write_files(tmp_path, files)
    with flask_run(project, "--debug", "--no-reload") as address:
        with pytest.raises(HTTPError) as caught:
            urllib.request.urlopen(f"{address}/api/exit", timeout=10)
        with caught.value as response:
            assert response.code == 500
            assert b"exit/route.py could not be imported: SystemExit: 3" in response.read()
        with urllib.request.urlopen(f"{address}/api/x", timeout=10) as response:
            assert response.read() == b"app.api.x.route"
    done = python(project, "-m", "flask", "run", "--port", "0")
    assert done.returncode == 1
    assert "exit/route.py could not be imported: SystemExit: 3.\n" in done.stderr
    # Flask's command hides the cause of an error, so the error itself has to name the line.
    assert re.search(r"exit/route\.py\W+line 2\b", done.stderr)


# One name for one module.


@pytest.mark.parametrize(
    ("files", "folders", "reason", "hint"),
    [
        (
            ["users.py", "users/route.py"],
            ("users.py", "users"),
            "The file and the folder have the same module name, 'users', "
            "so Python cannot import anything in the folder.",
            "Rename one of them, or put the folder in a group: (users)/users.",
        ),
        (
            ["a/v1_0.py", "a/v1.0/b/route.py"],
            ("a/v1_0.py", "a/v1.0"),
            "The file and the folder have the same module name, 'v1_0', "
            "so Python cannot import anything in the folder.",
            "Rename one of them, or put the folder in a group: (v1_0)/v1_0.",
        ),
        (
            ["route.py", "route/x/route.py"],
            ("route.py", "route"),
            "The file and the folder have the same module name, 'route', "
            "so Python cannot import anything in the folder.",
            "Rename one of them, or put the folder in a group: (route)/route.",
        ),
        (
            ["a.b/route.py", "a_b/route.py"],
            ("a.b", "a_b"),
            "The modules in these folders have the same name, 'a_b': "
            "a dot in a folder name is an underscore in a module name.",
            "Rename one of the folders, or put it in a group.",
        ),
        (
            ["x/a.b.c/route.py", "x/a_b.c/route.py", "x/a_b_c/y/route.py"],
            ("x/a.b.c", "x/a_b.c", "x/a_b_c"),
            "The modules in these folders have the same name, 'a_b_c': "
            "a dot in a folder name is an underscore in a module name.",
            "Rename one of the folders, or put it in a group.",
        ),
    ],
)
def test_one_module_name_for_two_is_refused(tree, files, folders, reason, hint):
    [problem] = refused(bare_app(tree(dict.fromkeys(files, NAME))))
    assert (problem.files, problem.reason, problem.hint) == (folders, reason, hint)


def test_the_hints_about_module_names_work(make_app):
    app = make_app(
        {
            "users.py": "VALUE = 1",
            "(users)/users/route.py": NAME,
            "route.py": NAME,
            "(route)/route/route.py": NAME,
            "a.b/route.py": NAME,
            "(twin)/a_b/route.py": NAME,
        }
    )
    root = root_name(app)
    assert served(app, "/api/users") == f"{root}.(users).users.route"
    assert served(app, "/api") == f"{root}.route"
    assert served(app, "/api/route") == f"{root}.(route).route.route"
    assert served(app, "/api/a.b") == f"{root}.a_b.route"
    assert served(app, "/api/a_b") == f"{root}.(twin).a_b.route"
    assert importlib.import_module(f"{root}.users").VALUE == 1


def test_a_package_comes_before_a_file_of_its_name(make_app):
    app = make_app(
        {
            "users.py": "1 / 0",
            "users/__init__.py": "",
            "users/route.py": NAME,
            "data.py": "VALUE = 1",
            "data/notes.txt": "",
        }
    )
    assert served(app, "/api/users") == f"{root_name(app)}.users.route"


# __init__.py in the tree.


def test_an_init_file_is_executed_once(make_app):
    app = make_app(
        {
            "users/__init__.py": f"{COUNTED}PLACE = __name__",
            "users/[id]/route.py": "from .. import PLACE\ndef GET(id): return PLACE",
            "users/route.py": "from . import PLACE\ndef GET(): return PLACE",
            "v1.0/__init__.py": f"{COUNTED}PLACE = __name__\nfrom .lib import VALUE",
            "v1.0/lib.py": "VALUE = 'value'",
            "v1.0/route.py": "from . import PLACE, VALUE\ndef GET(): return PLACE + VALUE",
        }
    )
    root = root_name(app)
    assert served(app, "/api/users/3") == f"{root}.users"
    assert served(app, "/api/users") == f"{root}.users"
    assert served(app, "/api/v1.0") == f"{root}.v1_0value"
    again = bare_app(Path(app.root_path))
    RouteHandlers(again)
    for folder in ("users", "v1.0"):
        assert runs(Path(app.root_path, "app/api", folder, "__init__.py")) == 1
    assert importlib.import_module(f"{root}.users").__file__.endswith("/users/__init__.py")


@pytest.mark.parametrize("folder", ["users", "v1.0"])
def test_an_init_file_that_raises(tree, folder):
    project = tree(
        {
            f"{folder}/__init__.py": "raise LookupError('no settings')",
            f"{folder}/route.py": NAME,
            f"{folder}/[id]/route.py": NAME,
            "x/route.py": NAME,
        }
    )
    problems = refused(bare_app(project))
    assert [(problem.files, problem.reason) for problem in problems] == [
        ((file,), f"{file} could not be imported: LookupError: no settings.")
        for file in (f"{folder}/[id]/route.py", f"{folder}/route.py")
    ]
    loaded = [getattr(module, "__file__", None) or "" for module in [*sys.modules.values()]]
    assert [file for file in loaded if file.startswith(str(project))] == [
        str(project / "app/api/x/route.py")
    ]


# What works in a route file.

RICH = '''
"""A user."""
from __future__ import annotations

import dataclasses
import typing

from ..lib import greet
from .local import LOCAL
from ..._private.secret import SECRET

@dataclasses.dataclass
class User:
    id: str
    tags: list[str] = dataclasses.field(default_factory=list)
    kind: typing.ClassVar[str] = "user"

def GET(id):
    return {"greeting": greet(User(id).id), "local": LOCAL, "secret": SECRET}

def POST(id):
    raise RuntimeError(id)
'''


@pytest.fixture(params=["[id]", "[...id]", "v1.0"])
def rich(request, make_app):
    """The module of RICH in folders of several kinds."""
    folder = request.param
    code = RICH if "id" in folder else RICH.replace("T(id)", "T(id='x')")
    app = make_app(
        {
            f"users/{folder}/route.py": code,
            f"users/{folder}/local.py": "LOCAL = 'local'",
            "users/lib.py": "def greet(name): return f'hello {name}'",
            "_private/secret.py": "SECRET = 'secret'",
        }
    )
    [route] = app.extensions["routehandlers"]["api"].routes
    return route.view.module


def test_relative_imports_work(rich):
    assert rich.GET("ann") == {"greeting": "hello ann", "local": "local", "secret": "secret"}


def test_postponed_annotations_of_dataclasses_work(rich):
    assert [field.name for field in rich.dataclasses.fields(rich.User)] == ["id", "tags"]
    assert rich.typing.get_type_hints(rich.User)["tags"] == list[str]


def test_objects_can_be_pickled(rich):
    user = rich.User("ann", ["x"])
    again = pickle.loads(pickle.dumps([user, rich.User, rich.GET]))
    assert again == [user, rich.User, rich.GET]
    assert type(again[0]) is rich.User


def test_the_source_can_be_inspected(rich):
    assert inspect.getsource(rich.GET).startswith("def GET(id")
    assert inspect.getsource(rich.User).startswith("@dataclasses.dataclass\nclass User:\n")
    assert inspect.getfile(rich.User) == rich.__file__
    assert inspect.getmodule(rich.POST) is rich
    assert inspect.getdoc(rich) == "A user."


def test_tracebacks_show_file_line_and_source(rich):
    with pytest.raises(RuntimeError) as caught:
        rich.POST("x")
    last = traceback.extract_tb(caught.tb)[-1]
    assert last.filename == rich.__file__
    assert last.line == "raise RuntimeError(id)"
    assert (
        last.lineno == Path(rich.__file__).read_text().splitlines().index(f"    {last.line}") + 1
    )


def test_names_can_be_patched_by_dotted_name(make_app):
    code = "def find(): return 'real'\ndef GET(**values): return find()"
    app = make_app(
        {"users/route.py": code, "users/[id]/route.py": code, "[...any]/route.py": code}
    )
    root = root_name(app)
    for path, name in [
        ("/api/users", "users.route.find"),
        ("/api/users/3", "users.id.route.find"),
        ("/api/a/b", "any.route.find"),
    ]:
        with mock.patch(f"{root}.{name}", return_value="patched"):
            assert served(app, path) == "patched"
        assert served(app, path) == "real"


@pytest.mark.ci
def test_coverage_measures_a_route_file(tmp_path):
    files = {
        "main.py": MAIN.format(root="app/api")
        + "for path in ('/api/3', '/api/a/b'): print(application.test_client().get(path).text)",
        "app/api/[id]/route.py": "def GET(id):\n  if id == '3':\n    return id\n  return 'other'",
        "app/api/[...path]/route.py": "def GET(path):\n  return path\ndef PUT():\n  return 'put'",
    }
    project = write_files(tmp_path, files)
    done = python(project, "-m", "coverage", "run", "--branch", "--source=app", "main.py")
    assert (done.returncode, done.stdout, done.stderr) == (0, '3\n["a","b"]\n\n', "")
    assert python(project, "-m", "coverage", "json", "-q").returncode == 0
    measured = json.loads((project / "coverage.json").read_text())["files"]
    one, rest = measured["app/api/[id]/route.py"], measured["app/api/[...path]/route.py"]
    assert (one["executed_lines"], one["missing_lines"]) == ([1, 2, 3], [4])
    assert one["missing_branches"] == [[2, 4]]
    assert (rest["executed_lines"], rest["missing_lines"]) == ([1, 2, 3], [4])


TEST_BESIDE = """
import sys
import pytest
from . import route

def test_the_module_is_the_one_that_the_app_serves():
    from main import application
    endpoint = "api./[id]" if "[id]" in __file__ else "api./[*path]"
    assert application.view_functions[endpoint].module is route
    assert sys.modules[route.__name__] is route

def test_assertions_here_are_explained():
    with pytest.raises(AssertionError, match="assert 3 == 4"):
        assert route.number() == 4

def test_assertions_in_the_route_file_are_explained():
    with pytest.raises(AssertionError, match="assert 3 == 5"):
        route.check(5)
"""


@pytest.mark.ci
@pytest.mark.parametrize(
    ("conftest", "folders"),
    [
        ("import main", ["[id]", "[...path]"]),
        # Before there is an app nothing makes a folder with a dot importable.
        ("", ["[id]"]),
    ],
    ids=["app first", "route first"],
)
def test_pytest_and_the_app_share_route_modules(tmp_path, conftest, folders):
    route = """
def number(): return 3
def check(expected):
    assert number() == expected
def GET(**values): return ""
"""
    files = {
        "main.py": MAIN.format(root="app/api"),
        "conftest.py": f"import pytest\npytest.register_assert_rewrite('app')\n{conftest}",
        "pytest.ini": "[pytest]\npythonpath = .\naddopts = --import-mode=importlib\n",
        **{f"app/api/{folder}/route.py": COUNTED + route for folder in folders},
        **{f"app/api/{folder}/test_route.py": TEST_BESIDE for folder in folders},
    }
    project = write_files(tmp_path, files)
    done = python(project, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", "app")
    assert f"{3 * len(folders)} passed" in done.stdout, done.stdout
    assert [runs(project / f"app/api/{folder}/route.py") for folder in folders] == [1] * len(
        folders
    )


# Aliases.


@pytest.mark.parametrize(
    ("folders", "alias"),
    [
        ("users/[id]", "users.id"),
        ("[id=int]", "id"),
        ("[...path]", "path"),
        ("a/[[...path]]", "a.path"),
        ("(admin)/users/[id=uuid]/x", "admin.users.id.x"),
        ("[id].json", "id_json"),
        ("@[user]", "_user"),
        ("[a]-[b=int].csv", "a_b_csv"),
        ("report-[year=int].csv", "report_year_csv"),
        ("sitemap.xml", "sitemap_xml"),
        (".well-known", "_well_known"),
        ("my-page", "my_page"),
        ("1.0", "_1_0"),
        ("404", "_404"),
        ("%5Fname", "_5Fname"),
        ("[größe]", "größe"),
    ],
)
def test_a_module_has_an_alias_of_identifiers(make_app, folders, alias):
    app = make_app({f"{folders}/route.py": COUNTED + NAME})
    [route] = app.extensions["routehandlers"]["api"].routes
    module, root = route.view.module, root_name(app)
    spec, loader = module.__spec__, module.__loader__
    assert all(part.isidentifier() for part in alias.split("."))
    assert importlib.import_module(f"{root}.{alias}.route") is module
    assert importlib.import_module(f"{root}.{alias}").route is module
    assert importlib.util.find_spec(f"{root}.{alias}.route") is not None
    assert (module.__spec__, module.__loader__) == (spec, loader)
    assert not hasattr(module, "__path__")
    assert module.__name__ == spec.name
    assert runs(module.__file__) == 1


def test_an_alias_that_is_imported_first(make_app):
    file = "users/[id]/more.py"
    app = make_app({"users/[id]/route.py": NAME, file: f"{COUNTED}NAME = __name__"})
    root = root_name(app)
    assert importlib.util.find_spec(f"{root}.users.id.more").name == f"{root}.users.id.more"
    module = importlib.import_module(f"{root}.users.id.more")
    assert module.NAME == module.__name__ == module.__spec__.name == f"{root}.users.[id].more"
    assert importlib.import_module(module.NAME) is module
    assert importlib.util.find_spec(module.NAME) is module.__spec__
    assert runs(Path(app.root_path, "app/api", file)) == 1


def test_an_ambiguous_alias_is_no_module(make_app):
    app = make_app({"[id]/route.py": NAME, "(id)/x/route.py": NAME})
    root = root_name(app)
    for name in (f"{root}.id", f"{root}.nothing"):
        with pytest.raises(ModuleNotFoundError, match=re.escape(f"No module named '{name}'")):
            importlib.import_module(f"{name}.route")
    assert importlib.import_module(f"{root}.[id].route").GET() == f"{root}.[id].route"


def test_a_folder_comes_before_an_alias(make_app):
    app = make_app({"[id]/route.py": NAME, "id/route.py": NAME})
    name = f"{root_name(app)}.id.route"
    assert importlib.import_module(name).GET() == name


def test_nothing_is_found_below_an_alias(make_app):
    root = root_name(make_app({"[id]/route.py": NAME}))
    with pytest.raises(ModuleNotFoundError) as caught:
        importlib.import_module(f"{root}.id.missing")
    assert caught.value.name == f"{root}.id.missing"
    assert importlib.util.find_spec(f"{root}.id.missing") is None


def test_a_broken_module_below_an_alias(make_app):
    app = make_app({"[id]/route.py": NAME, "[id]/bad.py": "import no_such_module_anywhere"})
    root = root_name(app)
    for _ in range(2):
        with pytest.raises(ModuleNotFoundError) as caught:
            importlib.import_module(f"{root}.id.bad")
        assert caught.value.name == "no_such_module_anywhere"
    assert not [name for name in sys.modules if name.startswith(root) and name.endswith(".bad")]


def test_finders_pass_on_unknown_names(make_app):
    root = root_name(make_app({"[id]/route.py": NAME}))
    for finder in sys.meta_path:
        assert finder.find_spec(f"{root}.nowhere.route", None) is None


@pytest.mark.parametrize("folder", ["users", "[id]", "[...path]", "v1.0"])
def test_a_route_file_can_be_reloaded(make_app, folder):
    app = make_app({f"{folder}/route.py": COUNTED + NAME})
    [route] = app.extensions["routehandlers"]["api"].routes
    module = route.view.module
    old = module.GET
    assert importlib.reload(module) is module
    assert module.GET is not old
    assert runs(module.__file__) == 2
    assert importlib.import_module(module.__name__) is module


# Once per process.


def test_concurrent_apps_execute_each_file_once(tree):
    folders = ("[id]", "[...path]", "v1.0/(x.y)/[a].json", "users")
    project = tree({f"{folder}/route.py": COUNTED + NAME for folder in folders})
    barrier = threading.Barrier(64)

    def make(_):
        app = bare_app(project)
        barrier.wait(30)
        RouteHandlers(app)
        return [route.view.module for route in app.extensions["routehandlers"]["api"].routes]

    with ThreadPoolExecutor(64) as pool:
        made = list(pool.map(make, range(64)))
    assert all(modules == made[0] for modules in made)
    assert all(hasattr(module, "GET") for module in made[0])
    assert [runs(module.__file__) for module in made[0]] == [1] * 4


MANY_THREADS = """
import importlib, threading
from concurrent.futures import ThreadPoolExecutor
import main

STARTED = [threading.Event(), threading.Event()]
NAMES = ("[id].h", "[id].[___x].h", "id.h", "id.x.h", "[id].x.h", "id.[___x].h")

def load(n):
    # The first two by name: the others find both modules half made.
    assert n < 2 or all(event.wait(10) for event in STARTED)
    module = importlib.import_module(f"app.api.{NAMES[n % len(NAMES)]}")
    assert module.DONE
    return module.__name__

with ThreadPoolExecutor(64) as pool:
    print(sorted(set(pool.map(load, range(64)))))
"""

#: What they load: each executes for a while, and then needs the import system itself.
SLOW_HELPER = """
import __main__
__main__.STARTED[{n}].set()
time.sleep(0.3)
from . import more
DONE = True
"""


def test_concurrent_imports_by_name_and_alias(tmp_path):
    # In a separate process: threads that wait for each other would hold its import lock.
    files = {"main.py": MAIN.format(root="app/api"), "many.py": MANY_THREADS}
    folders = ("app/api/[id]", "app/api/[id]/[...x]")
    for n, folder in enumerate(folders):
        files[f"{folder}/h.py"] = COUNTED + SLOW_HELPER.format(n=n)
        files |= {f"{folder}/more.py": "", f"{folder}/route.py": NAME}
    done = python(write_files(tmp_path, files), "many.py", timeout=10)
    assert (done.stdout, done.stderr) == ("['app.api.[id].[___x].h', 'app.api.[id].h']\n", "")
    assert [runs(tmp_path / folder / "h.py") for folder in folders] == [1, 1]


def test_apps_share_the_modules_of_a_root(tree):
    project = tree({"[id]/route.py": COUNTED + NAME})
    apps = [bare_app(project) for _ in range(3)]
    extension = RouteHandlers()
    for app in apps:
        extension.init_app(app)
    first, second, third = (module_of(app, "api./[id]") for app in apps)
    assert first is second is third
    assert runs(first.__file__) == 1
    assert apps[0].view_functions["api./[id]"] is not apps[1].view_functions["api./[id]"]


@pytest.mark.parametrize("roots", [("app", "app/api"), ("app/api", "app"), ("app/api", "app/api")])
@pytest.mark.parametrize("importable", [True, False])
def test_overlapping_roots_share_their_modules(tree, monkeypatch, roots, importable):
    project = tree({"[id]/route.py": COUNTED + NAME})
    top = project.name
    (project / "app").rename(project / top)
    if importable:
        monkeypatch.syspath_prepend(project)
    app = bare_app(project)
    for n, root in enumerate(roots):
        RouteHandlers(app, root.replace("app", top), name=f"r{n}", url_prefix=f"/{n}")
    [route] = app.extensions["routehandlers"]["r1"].routes
    first = app.extensions["routehandlers"]["r0"].routes[0]
    assert route.view.module is first.view.module
    assert runs(project / top / "api/[id]/route.py") == 1


def test_two_roots_can_import_from_each_other(tmp_path):
    files = {
        "app/api/[id]/route.py": "from ...web._lib import NAME\ndef GET(id): return NAME + id",
        "app/web/_lib.py": "NAME = 'web '",
        "app/web/x/route.py": "from ...api.id.route import GET as get\n"
        "def GET(): return get('from x')",
    }
    app = bare_app(write_files(tmp_path, files))
    RouteHandlers(app)
    RouteHandlers(app, "app/web")
    assert served(app, "/api/3") == "web 3"
    assert served(app, "/web/x") == "web from x"


def test_links_to_one_file_share_its_module(tree):
    project = tree({"users/[id]/route.py": COUNTED + NAME})
    (project / "app/api/people").symlink_to("users")
    (project / "app/api/one").mkdir()
    (project / "app/api/one/route.py").symlink_to("../users/[id]/route.py")
    app = bare_app(project)
    RouteHandlers(app)
    name = f"{root_name(app)}.users.[id].route"
    for path in ("/api/users/3", "/api/people/3", "/api/one"):
        assert served(app, path) == name
    assert runs(project / "app/api/users/[id]/route.py") == 1


def test_a_linked_project_is_the_same_project(tree):
    project = tree({"[id]/route.py": COUNTED + NAME})
    link = project.with_name(f"{project.name}_link")
    link.symlink_to(project)
    apps = bare_app(project), bare_app(link)
    for app in apps:
        RouteHandlers(app)
    assert module_of(apps[0], "api./[id]") is module_of(apps[1], "api./[id]")
    assert runs(project / "app/api/[id]/route.py") == 1


def test_projects_with_the_same_files_are_separate(tree):
    # As long as one another, and written in the same second: bytecode would be taken for valid.
    apps = []
    for word in ("one", "two"):
        apps.append(bare_app(tree({"[id]/route.py": f"def GET(id): return '{word}'"})))
        RouteHandlers(apps[-1])
    assert [served(app, "/api/3") for app in apps] == ["one", "two"]


# Files that import the app.

WSGI = """
from flask import Flask
from flask_routehandlers import RouteHandlers
db = "the database"
app = Flask(__name__, static_folder=None)
RouteHandlers(app)
if __name__ == "__main__":
    app.testing = True
    print(app.test_client().get("/api/x").text)
"""

TWICE = (
    "x/route.py could not be imported: ImportError: wsgi.py runs twice, as the modules __main__ "
    "and wsgi, because x/route.py imports wsgi. Move what it needs to another module, or start "
    "the app with flask --app wsgi run."
)


@pytest.mark.ci
@pytest.mark.parametrize("call", [("wsgi.py",), ("-m", "wsgi")], ids=" ".join)
@pytest.mark.parametrize("line", ["from wsgi import db", "from ..lib import db"])
def test_an_app_module_that_runs_twice_is_named(tmp_path, call, line):
    files = {
        "wsgi.py": WSGI,
        "app/api/a/route.py": NAME,
        "app/api/lib.py": "from wsgi import db\n",
        "app/api/x/route.py": f"{line}\ndef GET(): return db\n",
    }
    project = write_files(tmp_path, files)
    done = python(project, *call)
    assert done.returncode == 1
    assert f"1 problem in {tmp_path}/app/api:\n\napp/api/x/route.py\n  {TWICE}\n" in done.stderr
    # What the message says works.
    done = python(project, "-m", "flask", "--app", "wsgi", "routes")
    assert "/api/x" in done.stdout
    write_files(project, {"shared.py": 'db = "the database"\n'})
    write_files(project, {"app/api/x/route.py": "from shared import db\ndef GET(): return db\n"})
    assert python(project, *call).stdout == "the database\n"


def test_in_debug_mode_the_file_answers_with_that_error(tmp_path):
    files = {
        "wsgi.py": WSGI.replace("RouteHandlers(app)", "app.debug = True; RouteHandlers(app)"),
        "app/api/x/route.py": "from wsgi import db\ndef GET(): return db\n",
    }
    done = python(write_files(tmp_path, files), "wsgi.py")
    assert done.stderr.endswith(f"RouteImportError: {TWICE}\n")


def test_a_file_that_makes_its_app_again_is_named(tmp_path, monkeypatch):
    factory = MAIN.format(root="app/api")
    files = {"again1.py": factory, "app/api/x/route.py": "import again1\ndef GET(): ...\n"}
    monkeypatch.syspath_prepend(write_files(tmp_path, files))
    app = bare_app(tmp_path)
    (problem,) = refused(app)
    assert problem.reason == (
        "x/route.py could not be imported: ImportError: x/route.py imports a module that makes "
        "the app, while the app imports x/route.py. Move what it needs to a module that does not "
        "make the app."
    )
    assert problem.hint == (
        f"Look at {tmp_path}/app/api/x/route.py, line 1, which led to {tmp_path}/again1.py, "
        "line 5."
    )


# Files that cannot be imported.


@pytest.mark.parametrize(
    ("code", "error", "message"),
    [
        ("raise ValueError('half way')", ValueError, "ValueError: half way"),
        ("raise ValueError", ValueError, "ValueError"),
        ("import no_such_module", ModuleNotFoundError, "ModuleNotFoundError: No module named "
         "'no_such_module'"),
        ("import sys; sys.exit(3)", SystemExit, "SystemExit: 3"),
        ("import sys; sys.exit()", SystemExit, "SystemExit"),
        ("raise GeneratorExit", GeneratorExit, "GeneratorExit"),
        ("class Own(BaseException): pass\nraise Own('x')", BaseException, "Own: x"),
        ("def f(): f()\nf()", RecursionError, "RecursionError: maximum recursion depth exceeded"),
        ("assert 1 == 2, 'wrong'", AssertionError, "AssertionError: wrong"),
        ("def GET(:\n    pass", SyntaxError, "SyntaxError: invalid syntax (route.py, line 4)"),
        (
            "class Silent(Exception):\n    def __str__(self): raise TypeError\nraise Silent",
            Exception,
            "Silent",
        ),
    ],
)  # fmt: skip
@pytest.mark.parametrize("folder", ["[id]", "[...id]"])
def test_any_error_of_an_import_names_the_file(tree, folder, code, error, message, monkeypatch):
    project = tree(
        {f"{folder}/route.py": f"VALUE = 1\nfrom . import lib\n\n{code}", f"{folder}/lib.py": ""}
    )
    monkeypatch.chdir(project / "app")
    app = bare_app(project)
    line = 4 if error in (RecursionError, SyntaxError) else 3 + len(code.splitlines())
    with pytest.raises(RouteTreeError) as caught:
        RouteHandlers(app)
    assert str(caught.value) == (
        f"1 problem in {project}/app/api:\n\n"
        f"api/{folder}/route.py\n"
        f"  {folder}/route.py could not be imported: {message}.\n"
        f"  Look at api/{folder}/route.py, line {line}."
    )
    cause = caught.value.__cause__
    assert isinstance(cause, error)
    file = str(project / f"app/api/{folder}/route.py")
    if error is SyntaxError:
        assert cause.filename == file
    else:
        assert file in [frame.filename for frame in traceback.extract_tb(cause.__traceback__)]
    assert list(app.url_map.iter_rules()) == []
    assert app.blueprints == {}
    assert "routehandlers" not in app.extensions


def test_a_failed_import_leaves_no_module(tree):
    project = tree({"half/[...a]/route.py": f"VALUE = 1\nraise ValueError('half way')\n{NAME}"})
    refused(bare_app(project))
    left = [name for name in sys.modules if ".half" in name]
    assert not [name for name in left if name.endswith("route")]
    assert not any(hasattr(sys.modules[name], "route") for name in left)
    write_files(project, {"app/api/half/[...a]/route.py": NAME})
    importlib.invalidate_caches()
    app = bare_app(project)
    RouteHandlers(app)
    assert served(app, "/api/half/x").endswith(".half.[___a].route")


def test_all_broken_files_are_named(tree, monkeypatch):
    project = tree(
        {
            "a/route.py": "raise ValueError('first')",
            "b/route.py": NAME,
            "c/route.py": "import sys\nsys.exit('second')",
            "d/route.py": "def get(): pass",
        }
    )
    monkeypatch.chdir(project / "app/api")
    with pytest.raises(RouteTreeError) as caught:
        RouteHandlers(bare_app(project))
    assert str(caught.value) == (
        f"3 problems in {project}/app/api:\n\n"
        "a/route.py\n"
        "  a/route.py could not be imported: ValueError: first.\n"
        "  Look at a/route.py, line 1.\n\n"
        "c/route.py\n"
        "  c/route.py could not be imported: SystemExit: second.\n"
        "  Look at c/route.py, line 2.\n\n"
        "d/route.py\n"
        "  The file defines get(), which is not a handler: "
        "a handler is named after an HTTP method, in upper case.\n"
        "  Did you mean GET? Rename the function if it is a helper."
    )
    cause = caught.value.__cause__
    assert isinstance(cause, BaseExceptionGroup)
    assert cause.message == "Files that could not be imported"
    assert [repr(error) for error in cause.exceptions] == [
        "ValueError('first')",
        "SystemExit('second')",
    ]


def test_a_keyboard_interrupt_is_not_caught(tree):
    app = bare_app(tree({"a/route.py": "raise KeyboardInterrupt", "b/route.py": COUNTED + NAME}))
    with pytest.raises(KeyboardInterrupt):
        RouteHandlers(app)
    assert app.blueprints == {}
    assert not Path(app.root_path, "app/api/b/route.py.runs").exists()


METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY", "TRACE", "MADEUP")


@pytest.fixture
def broken(tree):
    """An app in debug mode with two broken files, one good one."""
    app = bare_app(
        tree(
            {
                "broken/[[...a]]/route.py": "\n\nraise ValueError('line three')",
                "syntax/[id]/route.py": "def GET(:\n    pass",
                "good/[id]/route.py": NAME,
            }
        )
    )
    app.debug = True
    RouteHandlers(app)
    return app


@pytest.mark.parametrize("method", METHODS)
def test_a_broken_file_answers_with_its_error(broken, caplog, method):
    broken.config["PROPAGATE_EXCEPTIONS"] = False
    client = broken.test_client()
    for path, message in [
        ("/api/broken", "broken/[[...a]]/route.py could not be imported: ValueError: line three"),
        (
            "/api/broken/x/y",
            "broken/[[...a]]/route.py could not be imported: ValueError: line three",
        ),
        (
            "/api/syntax/3",
            "syntax/[id]/route.py could not be imported: SyntaxError: "
            "invalid syntax (route.py, line 1)",
        ),
    ]:
        caplog.clear()
        assert client.open(path, method=method).status_code == 500
        [record] = caplog.records
        assert record.exc_info[0] is RouteImportError
        assert str(record.exc_info[1]) == message
        assert record.exc_info[1].file in message


def test_other_files_are_served_in_debug_mode(broken):
    assert served(broken, "/api/good/3") == f"{root_name(broken)}.good.[id].route"
    assert broken.test_client().get("/api/syntax").status_code == 404


def test_each_request_shows_the_same_traceback(broken):
    traces = []
    for _ in range(3):
        with pytest.raises(RouteImportError) as caught:
            broken.test_client().get("/api/broken")
        cause = caught.value.__cause__
        traces.append(traceback.format_exception(cause))
        frame = traceback.extract_tb(cause.__traceback__)[-1]
        assert (frame.lineno, frame.line) == (3, "raise ValueError('line three')")
        assert frame.filename.endswith("/app/api/broken/[[...a]]/route.py")
    assert traces[0] == traces[1] == traces[2]


def test_a_broken_file_has_endpoint_and_methods(broken):
    rules = {rule.rule: rule for rule in broken.url_map.iter_rules()}
    assert rules["/api/syntax/<id>"].endpoint == "api./syntax/[id]"
    assert sorted(rules["/api/syntax/<id>"].methods) == sorted(METHODS[:8])
    assert broken.view_functions["api./syntax/[id]"].__name__ == "syntax/[id]/route.py"


def test_debug_mode_excuses_no_other_problem(tree):
    app = bare_app(tree({"a/route.py": "1 / 0", "b/route.py": "def get(): pass"}))
    app.debug = True
    assert [problem.files for problem in refused(app)] == [("a/route.py",), ("b/route.py",)]


def test_all_broken_files_are_kept_in_debug_mode(tree):
    app = bare_app(tree({"middleware.py": "def middleware(:", "a/route.py": "1 / 0"}))
    app.debug = True
    RouteHandlers(app)
    [mount] = app.extensions["routehandlers"].values()
    assert [failure.file for failure in mount.failures] == ["middleware.py", "a/route.py"]
