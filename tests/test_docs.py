"""What README.md and docs/ show is what happens: their code is run and their output compared.

A page is read from top to bottom. A block whose first line is a comment with a path,
``# app/api/users/[id]/route.py``, is written to a project folder. Console and ``>>>`` blocks run
there, in child processes, with the app behind a real server. On the errors page a block of
messages is held against what the files above it give; each heading and each such block ends an
example.
"""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, fields
from functools import cached_property, partial
from http.client import HTTPConnection
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

import flask_routehandlers
from flask_routehandlers import RouteHandlers, RouteTreeError
from flask_routehandlers.caching.settings import Settings
from flask_routehandlers.handlers.config import RouteConfig
from tests.servers import RedisServer, redis_server
from tests.support import bare_app, write_files

REPOSITORY = Path(__file__).parents[1]
DOCS = REPOSITORY / "docs"
PAGES = sorted([*DOCS.glob("*.md"), REPOSITORY / "README.md"])
PACKAGE = Path(flask_routehandlers.__file__).parent

#: What a page that does not show these files means by them.
DEFAULT_FILES = {
    "wsgi.py": "from flask import Flask\n\nfrom flask_routehandlers import RouteHandlers\n\n"
    "app = Flask(__name__)\nRouteHandlers(app)\n"
}
ANY_HANDLER = "def GET(): ..."

#: The server that pages write of. Where they do, one runs, on a port of its own.
REDIS = "redis://localhost:6379/0"

#: Commands that are shown for the reader alone.
NOT_RUN = ("pip ", "git ", "flask run", "pyright", "python -m tests.benchmarks")
#: Commands that prepare a folder; run as they are.
PREPARATIONS = ("ln", "mkdir", "rm", "touch")
#: Kinds of blocks that are for the reader alone: JavaScript to compare with, directives.
NOT_CHECKED = (
    "text",
    "sh",
    "js",
    "json",
    "nginx",
    "{toctree}",
    "{eval-rst}",
    "{include} ../CHANGES.md",
)
#: What differs from run to run in an output, and how pages show it.
VARYING = {
    r"\bin \d+\.\d\ds\b": "in 0.01s",
    r"\nAge: \d\b": "\nAge: 0",
    r"; ttl=5\d\b": "; ttl=59",
}
#: Headers that ``curl -i`` prints too, and that pages leave out.
HEADERS_LEFT_OUT = ("Server", "Date", "Connection")


@dataclass
class Block:
    """A fenced block of a page, or a comment ``<!-- given: ... -->`` with what is assumed."""

    place: str
    info: str
    text: str

    @property
    def file(self) -> str | None:
        match = re.match(r"# (\S*\w\.\w+)$", self.text.partition("\n")[0])
        return match and match[1]


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for match in re.finditer(
        r"^```([^\n]*)\n(.*?)^```$|^<!-- given: (.*?) -->$|^(#+) [^\n]*$", text, re.M | re.S
    ):
        place = f"{page.relative_to(REPOSITORY)}:{text.count(chr(10), 0, match.start()) + 1}"
        info, code, given, heading = match.groups()
        if heading:
            yield Block(place, "heading", heading)
        elif given:
            yield Block(place, "given", given)
        else:
            yield Block(place, info.strip(), code.rstrip("\n"))


def commands(text: str) -> Iterator[tuple[str, str]]:
    """Each command of a console block, with the output that is shown below it."""
    before, *parts = re.split(r"^\$ ", text.replace("\\\n", " "), flags=re.M)
    assert parts, "no command"
    assert not before, "an output of no command"
    for part in parts:
        command, _, output = part.partition("\n")
        yield command.strip(), output


def alike(shown: str, real: str) -> bool:
    """Whether an output is as shown. A line ``...`` stands for any lines, also none."""
    lines = [line.rstrip() for line in shown.rstrip().split("\n")]
    pattern = "".join(
        r"(?:.*\n)*?" if line.strip() == "..." else re.escape(line) + r"\n" for line in lines
    )
    text = "\n".join(line.rstrip() for line in real.rstrip().split("\n")) + "\n"
    return re.fullmatch(pattern, text) is not None


class Project:
    """The project of a page, in a folder that the page calls ``/srv/shop``."""

    def __init__(self, above: Path) -> None:
        self.above = above
        self.numbers = count()
        self.stack = ExitStack()
        self.start_anew()

    def start_anew(self) -> None:
        self.files = dict(DEFAULT_FILES)
        self.given: set[str] = set()
        self.leave()

    def add(self, file: str, content: str) -> None:
        self.files[file] = content
        self.leave()

    def leave(self) -> None:
        """Go to a new folder: Python keeps bytecode by path and time stamp."""
        self.stack.close()
        for name in ("folder", "port", "redis"):
            self.__dict__.pop(name, None)

    @cached_property
    def folder(self) -> Path:
        folder = self.above / str(next(self.numbers)) / "shop"
        (folder / "app").mkdir(parents=True)
        return write_files(folder, {n: self.with_redis(t) for n, t in self.files.items()})

    @cached_property
    def port(self) -> int:
        return self.stack.enter_context(serving(self.folder))

    @cached_property
    def redis(self) -> RedisServer:
        return self.stack.enter_context(redis_server())

    def with_redis(self, text: str) -> str:
        return text.replace(REDIS, self.redis.url) if REDIS in text else text

    def real(self, text: str) -> str:
        return self.with_redis(text).replace("/srv/", f"{self.folder.parent}/")

    def shown(self, text: str) -> str:
        """An output as the page shows it."""
        text = text.replace(str(self.folder.parent), "/srv").replace("python -m flask", "flask")
        for pattern, shown in VARYING.items():
            text = re.sub(pattern, shown, text)
        return text

    def run(self, command: str, shown: str) -> str:
        """What a command prints. If no output is shown, it only has to succeed."""
        name, *arguments = shlex.split(self.real(command))
        if name == "curl":
            return self.shown(curl(arguments, self.port))
        in_repository = arguments[:2] == ["--app", "example_app"]
        if name in ("flask", "pytest", "python", "ruff"):
            module = [] if name == "python" else ["-m", name]
            call = [sys.executable, *module, *arguments]
        elif name in PREPARATIONS:
            call = [name, *arguments]
        else:
            raise ValueError(f"what is {name}?")
        code, output = run_child(call, REPOSITORY if in_repository else self.folder)
        return self.shown(output) if code or shown else ""

    def doctest(self, text: str) -> str:
        """Run ``>>>`` examples; what is reported is empty if they give what they show."""
        script = self.folder / f"doctest{next(self.numbers)}.txt"
        script.write_text(self.real(text) + "\n", encoding="utf-8")
        code = (
            "import doctest, sys; sys.path.insert(0, '.');"
            "doctest.testfile(sys.argv[1], module_relative=False,"
            " optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE, encoding='utf-8')"
        )
        return self.shown(run_child([sys.executable, "-c", code, str(script)], self.folder)[1])

    def messages(self, shown: str) -> str:
        """What starting the app says. Files that only a message names hold any handler."""
        for file in re.findall(r"^[^/\s].*", shown, re.M):
            path = f"app/api/{file}"
            if not os.path.lexists(self.folder / path):
                name = path if file.endswith(".py") else f"{path}/route.py"
                write_files(self.folder, {name: ANY_HANDLER})
        with ExitStack() as stack:
            for what in self.given:
                stack.enter_context(GIVENS[what](self))
            with pytest.raises(RouteTreeError) as caught:
                load(self.folder / "wsgi.py")
        return self.shown("\n\n".join(map(str, caught.value.problems)))


def load(wsgi: Path) -> None:
    name = f"wsgi_{wsgi.parent.parent.name}"
    spec = importlib.util.spec_from_file_location(name, wsgi)
    assert spec
    assert spec.loader
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            spec.loader.exec_module(module)
    finally:
        del sys.modules[name]


def environment() -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("FLASK_", "PYTEST_", "COV_"))}
    return kept | {"PYTHONPATH": str(REPOSITORY), "COLUMNS": "80", "NO_COLOR": "1"}


def run_child(call: list[str], folder: Path) -> tuple[int, str]:
    done = subprocess.run(
        call,
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=60,
    )
    return done.returncode, done.stdout


@contextmanager
def serving(folder: Path) -> Iterator[int]:
    """``flask run`` in a project folder, on a free port, which is given."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "flask", "run", "--port", "0"],
            cwd=folder,
            env=environment(),
            stdout=log,
            stderr=log,
        )
        try:
            yield _port(server, log)
        finally:
            server.terminate()
            server.wait(10)


def _port(server: subprocess.Popen[bytes], log: Any) -> int:
    for _ in range(1000):
        log.seek(0)
        match = re.search(r"Running on http://127\.0\.0\.1:(\d+)", log.read())
        if match:
            return int(match[1])
        if server.poll() is not None:
            break
        time.sleep(0.02)
    log.seek(0)
    raise RuntimeError(f"flask run does not start:\n{log.read()}")


def curl(arguments: list[str], port: int) -> str:
    """What curl would print: those of its options that pages use."""
    method, headers, body = "GET", {}, None
    options, url = set(), ""
    rest = iter(arguments)
    for argument in rest:
        if argument == "-X":
            method = next(rest)
        elif argument == "-H":
            name, _, value = next(rest).partition(":")
            headers[name] = value.strip()
        elif argument == "-A":
            headers["User-Agent"] = next(rest)
        elif argument in ("-d", "--json"):
            body = next(rest)
            method = "POST" if method == "GET" else method
            kind = "json" if argument == "--json" else "x-www-form-urlencoded"
            headers.setdefault("Content-Type", f"application/{kind}")
        elif argument in ("-i", "-I", "-N", "--path-as-is"):
            options.add(argument)
        else:
            assert not argument.startswith("-"), f"which option is {argument}?"
            url = argument
    parts = urlsplit(f"http://{url.removeprefix('http://')}")
    assert parts.netloc == "localhost:5000"
    dots = any(segment in (".", "..") for segment in parts.path.split("/"))
    assert not dots or "--path-as-is" in options, "curl would send another path"
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        target = parts._replace(scheme="", netloc="").geturl()
        connection.request("HEAD" if "-I" in options else method, target, body, headers)
        response = connection.getresponse()
        head = [f"HTTP/1.1 {response.status} {response.reason}"] + [
            f"{name}: {value}"
            for name, value in response.getheaders()
            if name not in HEADERS_LEFT_OUT
        ]
        text = response.read().decode()
    finally:
        connection.close()
    text = "\n".join([*head, "", text]) if options & {"-i", "-I"} else text
    return text.replace(f"localhost:{port}", "localhost:5000")


@contextmanager
def _without(package: str, project: Project) -> Iterator[None]:
    saved = {name: sys.modules[name] for name in sys.modules if name.startswith(package)}
    sys.modules[package] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[package]
        sys.modules.update(saved)


@contextmanager
def _unreadable_folders(project: Project) -> Iterator[None]:
    """The folders called ``secret`` as another user finds them; root may read everything."""
    folders = list(project.folder.rglob("secret"))
    for folder in folders:
        folder.chmod(0)
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)
        for folder in folders:
            folder.chmod(0o755)


#: What a page can say with ``<!-- given: ... -->`` about the messages that follow.
GIVENS: dict[str, Callable[[Project], Any]] = {
    "no asgiref": partial(_without, "asgiref"),
    "no redis": partial(_without, "redis"),
    "nobody may read secret": _unreadable_folders,
}


@pytest.fixture
def project() -> Iterator[Project]:
    # Not in tmp_path, which other users may not enter: see _unreadable_folders.
    with tempfile.TemporaryDirectory() as name:
        above = Path(name).resolve()
        above.chmod(0o755)
        project = Project(above)
        yield project
        project.leave()


def outcomes(page: Path, project: Project) -> Iterator[tuple[Block, str, str]]:
    """Everything that a page shows as an output: where, how it is shown, and how it is."""
    is_errors = page.name == "errors.md"
    for block in blocks(page):
        if block.file:
            project.add(block.file, block.text)
        elif block.info == "console":
            for command, shown in commands(block.text):
                if not command.startswith(NOT_RUN):
                    yield block, shown, project.run(command, shown)
        elif block.info == "pycon":
            yield block, "", project.doctest(block.text)
        elif block.info == "text" and is_errors:
            yield block, block.text, project.messages(block.text)
            project.start_anew()
        elif block.info == "given":
            project.given.add(block.text)
        elif block.info == "heading":
            if is_errors:
                project.start_anew()
        else:
            assert block.info in NOT_CHECKED, f"{block.place}: which file is this?"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_code_of_a_page_does_what_the_page_shows(page, project):
    wrong = [
        f"{block.place} shows\n{shown}\nbut it is\n{real}"
        for block, shown, real in outcomes(page, project)
        if not alike(shown, real)
    ]
    assert not wrong, "\n\n".join(["", *wrong])


#: Texts in the package that no tree and no request can bring about, or that are no messages.
NOT_SHOWN = {
    "mypy is not installed. Run pip install 'Flask-RouteHandlers[mypy]'.": "it is installed here",
    "\0 is not a part of a URL.": "a new kind of segment that its author forgot there",
    "\0 leads to \0, not \0.": "the rules of an app do not change",
    "\0 would be another folder": "no path of a route has such a part",
    "\0 has no attribute \0": "Python's words for what no object has",
    "<Endpoint \0 from \0>": "a repr",
    "<StaticRoute \0 from \0>": "a repr",
}

#: Modules whose texts are code.
OF_CODE = ("scripts.py", "sources.py")


def texts(file: Path) -> Iterator[str]:
    """The literal texts of a module but its docstrings; NUL stands where an f-string fills in."""
    module = ast.parse(file.read_text(encoding="utf-8"))
    nodes = list(ast.walk(module))
    left_out: set[ast.AST] = {n.value for n in nodes if isinstance(n, ast.Expr)}
    left_out |= {n.value for n in nodes if isinstance(n, ast.keyword) and n.arg == "help"}
    left_out |= {part for n in nodes if isinstance(n, ast.JoinedStr) for part in n.values}
    for node in nodes:
        if node in left_out:
            continue
        if isinstance(node, ast.JoinedStr):
            yield "".join(p.value if isinstance(p, ast.Constant) else "\0" for p in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_every_message_of_the_package_is_on_a_page():
    pages = [
        DOCS / f"{page}.md"
        for page in (
            "errors",
            "commands",
            "routing",
            "development",
            "typing",
            "static",
            "machines",
        )
    ]
    shown = "\n".join(
        block.text
        for page in pages
        for block in blocks(page)
        if block.info in ("console", "pycon", "text")
    )
    missing = {
        text
        for file in PACKAGE.rglob("*.py")
        if file.name not in OF_CODE
        for text in texts(file)
        if re.search(r"[A-Za-z]{4}", text) and re.search(r"[\w,.:] |\0 ", text)
        if not re.search(".*".join(map(re.escape, re.split("\0|%s", text))), shown)
    }
    assert missing == set(NOT_SHOWN)


def test_every_public_name_is_on_the_page_that_lists_them():
    text = (DOCS / "api.md").read_text(encoding="utf-8")
    assert [name for name in flask_routehandlers.__all__ if name not in text] == []


def test_every_class_for_errors_is_on_the_page_of_errors():
    text = (DOCS / "errors.md").read_text(encoding="utf-8")
    public = map(flask_routehandlers.__dict__.get, flask_routehandlers.__all__)
    names = [each.__name__ for each in public if each.__module__.endswith(".errors")]
    assert len(names) > 3
    assert [name for name in names if name not in text] == []


def table(page: str, *header: str) -> list[list[list[str]]]:
    """The rows of a table, found by the beginning of its header: for each cell what is code."""
    text = (DOCS / page).read_text(encoding="utf-8")
    _, found, rest = text.partition(f"| {' | '.join(header)} |")
    assert found, f"{page} has no table {header}"
    rows = rest.partition("\n\n")[0].split("\n")[2:]
    return [[re.findall("`([^`]*)`", cell) for cell in row.split("|")[1:-1]] for row in rows]


@pytest.mark.parametrize(
    ("folders", "rules"),
    [row[:2] for row in table("routing.md", "folder", "rule")],
    ids=lambda cell: " ".join(cell),
)
def test_the_table_of_segments_shows_the_rules_of_the_app(folders, rules, tree):
    for folder in folders:
        app = bare_app(tree({}, folder))
        RouteHandlers(app, url_prefix="")
        assert [rule.rule for rule in app.url_map.iter_rules()] == rules


@pytest.mark.parametrize(
    ("root", "prefix", "name"), table("routing.md", "root", "prefix", "blueprint"), ids=str
)
def test_the_table_of_roots_shows_prefixes_and_names(root, prefix, name, tmp_path):
    write_files(tmp_path, {f"{root[0]}/route.py": ANY_HANDLER})
    app = bare_app(tmp_path)
    RouteHandlers(app, root=root[0])
    [mount] = app.extensions["routehandlers"].values()
    assert (mount.url_prefix, mount.name) == ("".join(prefix), "".join(name))


def test_the_table_of_settings_has_every_setting_with_its_default():
    shown = {row[0][0]: row[1][0] for row in table("static.md", "setting", "default")}
    defaults = {f.name.upper(): f.default for f in fields(Settings)}
    assert {name: ast.literal_eval(default) for name, default in shown.items()} == defaults


def test_the_table_of_route_config_has_every_name():
    rows = table("static.md", "name", "value", "meaning")
    names = {cell for row in rows for cell in row[0]}
    assert names == {field.name for field in fields(RouteConfig)}


def test_the_page_on_reliability_names_tests_that_exist():
    for cells in table("reliability.md", "test"):
        for name in cells[0]:
            assert (REPOSITORY / f"tests/{name}.py").exists(), name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page):
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    for link in re.findall(r"\]\((?!https?:)([^)]*)\)", text):
        file, _, anchor = link.partition("#")
        target = page.parent / file if file else page
        assert target.exists(), link
        headings = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.M)
        slugs = [re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in headings]
        assert not anchor or anchor in slugs, link


def test_the_pages_build_without_a_warning(tmp_path):
    pytest.importorskip("sphinx")
    call = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", str(DOCS), str(tmp_path)]
    assert run_child(call, tmp_path) == (0, "")


def test_the_design_page_names_every_module():
    text = (DOCS / "design.md").read_text(encoding="utf-8")
    modules = {file.stem for file in PACKAGE.rglob("*.py")} - {"__init__"}
    assert modules <= set(re.findall(r"`(\w+)`", text))
