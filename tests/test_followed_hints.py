"""Every hint, followed, works: the problem is gone and the app starts.

The files of each example in :mod:`tests.catalogue` are written, each hint is followed on disk, one
test for each alternative that it offers, and the app starts.
"""

from __future__ import annotations

import ast
import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path

import pytest

import flask_routehandlers
from flask_routehandlers import Problem
from tests.catalogue import SECTIONS, Example
from tests.projects import ANY_HANDLER, DEFAULT_FILES, find_problems
from tests.support import write_files

GET = "def GET():\n    return 'answer'\n"
MIDDLEWARE = "def middleware(request, call_next):\n    return call_next()\n"

_numbers = count()


# Trees on disk --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Tree:
    """A project on disk, in which hints are followed."""

    folder: Path

    @property
    def wsgi(self) -> Path:
        return self.folder / "wsgi.py"

    def path(self, file: str) -> Path:
        return self.folder / "app/api" / file

    def find_problems(self) -> list[Problem]:
        """Start the app; return why it does not start, or what ``check`` finds."""
        # A copy, since a process executes each file once.
        copy = self.folder.parent / f"copy{next(_numbers)}"
        shutil.copytree(self.folder, copy, symlinks=True)
        found = find_problems(copy / "wsgi.py")
        return [relocate(problem, str(copy), str(self.folder)) for problem in found]

    def keep_only(self, problem: Problem, others: list[Problem]) -> None:
        """Remove the files of other problems: what their hints make of them could clash."""
        for other in others:
            for file in set(other.files) - set(problem.files):
                if not os.path.isabs(file):
                    self.remove(file)

    def rename(self, path: Path, name: str) -> None:
        """Rename a file or folder; merge it into a folder that has the name."""
        target = path.parent / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.is_dir():
            path.rename(target)
            return
        for child in path.iterdir():
            if not (target / child.name).exists():
                child.rename(target / child.name)
        shutil.rmtree(path)

    def rename_folder(self, file: str, name: str) -> None:
        """Rename the folder that a problem is about."""
        path = self.path(file)
        self.rename(path.parent if path.suffix == ".py" and path.is_file() else path, name)

    def remove(self, file: str) -> None:
        path = self.path(file)
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)

    def edit(self, path: Path, pattern: str, replacement: str) -> None:
        """Replace what a pattern matches in a file; it must match."""
        code, changes = re.subn(pattern, replacement, path.read_text("utf-8"), flags=re.M)
        assert changes, f"{path} has nothing like {pattern}"
        path.write_text(code, "utf-8")

    def define(self, file: str, name: str, code: str = "") -> None:
        """Replace the definition of a name in a file, or remove it."""
        path = self.path(file)
        kept = [
            node for node in ast.parse(path.read_text("utf-8")).body if not defines(node, name)
        ]
        path.write_text("\n".join([*map(ast.unparse, kept), code, ""]), "utf-8")

    def configure(self, line: str) -> None:
        """Add a line to ``wsgi.py`` after the app is made."""
        self.edit(self.wsgi, r"^(app = Flask\(.*\))$", rf"\1\n{line}")


def defines(node: ast.stmt, name: str) -> bool:
    """Whether a statement of a module defines a name."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return node.name == name
    targets = [*getattr(node, "targets", []), getattr(node, "target", None)]
    return any(isinstance(target, ast.Name) and target.id == name for target in targets)


def relocate(problem: Problem, copy: str, original: str) -> Problem:
    """The problem of a copy as one of the original."""
    files = tuple(file.replace(copy, original) for file in problem.files)
    reason, hint = (text.replace(copy, original) for text in (problem.reason, problem.hint))
    return Problem(reason, hint, files, problem.severity)


# How hints are followed -----------------------------------------------------------------------

#: Follows a hint, given the groups of its pattern.
Follow = Callable[..., None]


def rename_folder(tree: Tree, problem: Problem, name: str) -> None:
    tree.rename_folder(problem.files[0], name)


def rename_second(tree: Tree, problem: Problem, *_: str) -> None:
    """Rename the first folder in which two files differ, in the second of them."""
    first, second = (Path(file).parts for file in problem.files[:2])
    depth = next(
        n for n, (one, other) in enumerate(zip(first, second, strict=False)) if one != other
    )
    tree.rename(tree.path("/".join(second[: depth + 1])), first[depth])


def remove_first(tree: Tree, problem: Problem, *_: str) -> None:
    tree.remove(problem.files[0])


def remove_last(tree: Tree, problem: Problem, *_: str) -> None:
    tree.remove(problem.files[-1])


def define(name: str, code: str) -> Follow:
    """Define a name, which may contain groups of the pattern, in place of what it is."""

    def follow(tree: Tree, problem: Problem, *groups: str) -> None:
        tree.define(problem.files[0], name.format(*groups), code.format(*groups))

    return follow


def edit(pattern: str, replacement: str) -> Follow:
    """Edit the file of the problem."""

    def follow(tree: Tree, problem: Problem, *groups: str) -> None:
        escaped = map(re.escape, groups)
        tree.edit(
            tree.path(problem.files[0]), pattern.format(*escaped), replacement.format(*groups)
        )

    return follow


def configure(line: str) -> Follow:
    """Add a line to ``wsgi.py`` after the app is made."""

    def follow(tree: Tree, problem: Problem, *groups: str) -> None:
        tree.configure(line.format(*groups))

    return follow


def in_wsgi(pattern: str, replacement: str) -> Follow:
    """Edit ``wsgi.py``."""

    def follow(tree: Tree, problem: Problem, *groups: str) -> None:
        tree.edit(tree.wsgi, pattern, replacement.format(*groups))

    return follow


def write(file: str, content: str) -> Follow:
    """Write a file next to the file of the problem."""

    def follow(tree: Tree, problem: Problem, *groups: str) -> None:
        path = tree.path(problem.files[0]).parent / file.format(*groups)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, "utf-8")

    return follow


def move(target: str) -> Follow:
    """Move the file of the problem, to a path relative to the root."""

    def follow(tree: Tree, problem: Problem, *groups: str) -> None:
        path = tree.path(target.format(*groups))
        path.parent.mkdir(parents=True, exist_ok=True)
        tree.path(problem.files[0]).rename(path)

    return follow


def both(*follows: Follow) -> Follow:
    """Do several things, as a hint says."""

    def follow(tree: Tree, problem: Problem, *groups: str) -> None:
        for step in follows:
            step(tree, problem, *groups)

    return follow


def to(name: str) -> Follow:
    """Rename the folder of the problem to a name that may contain groups of the pattern."""
    return lambda tree, problem, *groups: rename_folder(tree, problem, name.format(*groups))


def repair_line(tree: Tree, problem: Problem, file: str, line: str) -> None:
    path = tree.folder / file
    lines = path.read_text("utf-8").split("\n")
    wrong = lines[int(line) - 1]
    divided = re.compile(r"\d / 0")
    lines[int(line) - 1] = divided.sub("1", wrong) if divided.search(wrong) else ""
    path.write_text("\n".join(lines), "utf-8")


def rename_last_parameter(tree: Tree, problem: Problem, *_: str) -> None:
    *above, last = Path(problem.files[0]).parent.parts
    tree.rename(tree.path("/".join([*above, last])), last.replace("]", "_of_other]"))


def make_last_folder(tree: Tree, problem: Problem, folder: str) -> None:
    path = tree.path(problem.files[0])
    above = next(parent for parent in path.parents if parent.name == folder)
    path.rename(above / path.name)


def read_from_path(tree: Tree, problem: Problem, *_: str) -> None:
    if "dependency" in problem.reason:
        tree.edit(tree.path("x/dependencies.py"), r"request(\.[\w.]+)?", "a")
    else:
        tree.edit(tree.path(problem.files[0]), r"(\w+): Query.*\)(?=:)", r"\1)")


def define_converter(tree: Tree, problem: Problem, *_: str) -> None:
    """Register a converter of the app under the name that the reason has."""
    [name] = re.findall(r"(?<=converter ')\w+|(?<=\[n=)\w+", problem.reason)
    converter = "type('Own', (BaseConverter,), {'regex': '[a-z]+', 'part_isolating': True})"
    lines = (
        "from werkzeug.routing import BaseConverter\n"
        f"app.url_map.converters[{name!r}] = {converter}"
    )
    tree.edit(tree.wsgi, r"^(RouteHandlers\()", rf"{lines}\n\1")


def give_setting(value: str) -> Follow:
    """Give a value to the setting that the reason names."""

    def follow(tree: Tree, problem: Problem, *_: str) -> None:
        [name] = re.findall(r"(ROUTE_HANDLERS_\w+)", problem.reason)
        lines = f"app.config['SECRET_KEY'] = 'x'\napp.config[{name!r}] = {value}"
        tree.edit(tree.wsgi, r"^(RouteHandlers\()", rf"{lines}\n\1")

    return follow


def rename_setting(tree: Tree, problem: Problem, name: str) -> None:
    [wrong] = re.findall(r"(ROUTE_HANDLERS_\w+)", problem.reason)
    tree.edit(tree.wsgi, wrong, name)


FORM = r"def middleware\(request, call_next\), which returns call_next\(\) or another response"
METHOD = r"DELETE|GET|HEAD|OPTIONS|PATCH|POST|PUT|QUERY"
NAME = r"\[+[^\s']*\]+|\(\w+\)"

write_middleware = define("middleware", MIDDLEWARE)

#: For each hint, as a pattern, how its alternatives are followed.
HINTS: dict[str, tuple[Follow, ...]] = {
    # Folder names.
    rf"(?:Write|Did you mean) ({NAME})[.?]": (rename_folder,),
    r"Write \[name\], \[\.\.\.name\] or \[\[\.\.\.name\]\]\.": (
        to("[name]"),
        to("[...name]"),
        to("[[...name]]"),
    ),
    r"Write (\[\w+=int\]), or use another converter of the app's URL map\.": (
        rename_folder,
        to("[id=float]"),
    ),
    r"Put text between them: (\S+)\.": (rename_folder,),
    rf"Write ({NAME}), and add a route\.py to the folder above for the URL without it\.": (
        both(write("../route.py", GET), rename_folder),
    ),
    rf"Name the folder ({NAME})\.": (rename_folder,),
    r"Write \(name\)/\[name\], or register your own converter and write \[name=converter\]\.": (
        to("(name)/[name]"),
        both(
            configure("app.url_map.converters['converter'] = app.url_map.converters['int']"),
            to("[name=converter]"),
        ),
    ),
    r"Write (\(\w+\)) for a group, (\w+) for a segment of the URL, or (\S+) for .*\.": (
        to("{0}"),
        to("{1}"),
        to("{2}"),
    ),
    r"Rename the folder to '?([^\s',]+)'?\.": (rename_folder,),
    r"Rename the folder to (\w+), to a group, (\(\w+\)), or to (\S+) for a literal @\.": (
        to("{0}"),
        to("{1}"),
        to("{2}"),
    ),
    r"Rename the folder\.|Rename the folder to a name without .*\.": (to("renamed"),),
    # Two files.
    r"Keep one of them, or rename a folder; groups are not part of the URL\.": (
        remove_first,
        remove_last,
        lambda tree, problem: tree.rename_folder(problem.files[-1], "renamed"),
    ),
    r"Use one parameter name and one kind of brackets at each level of the tree\.": (
        rename_second,
    ),
    r"Use one spelling: not every file system distinguishes them\.": (rename_second,),
    rf"Remove one of them, or write ({NAME})\.": (remove_first, remove_last, rename_folder),
    rf"Make ({NAME}) the last folder\.": (make_last_folder,),
    r"Give each parameter of a path a different name\.": (rename_last_parameter,),
    r"Rename one of the folders, or put it in a group\.": (to("renamed"), to("(group)/feed.xml")),
    r"Rename one of them, or put the folder in a group: (\(\w+\)/\w+)\.": (
        lambda tree, problem, _: tree.rename(tree.path(problem.files[0]), "renamed.py"),
        lambda tree, problem, _: tree.rename_folder(problem.files[1], "renamed"),
        lambda tree, problem, name: tree.rename_folder(problem.files[1], name),
    ),
    r"Keep one of the files, or change the regex of your own converter\.": (
        remove_first,
        remove_last,
        define_converter,
    ),
    # The root, files and links.
    r"Create the folder, or give RouteHandlers another root; "
    r"a relative root starts at app\.root_path\.": (
        lambda tree, problem: Path(problem.files[0]).mkdir(parents=True),
        both(
            lambda tree, problem: (tree.folder / "other").mkdir(),
            in_wsgi(r"RouteHandlers\(app.*\)", "RouteHandlers(app, 'other')"),
        ),
    ),
    r"Move its code to (\S+), and remove it\.": (move("{0}"),),
    r"Look at (\S+), line (\d+)\.": (repair_line,),
    r"Look at \S+, line \d+, which led to (\S+), line (\d+)\.": (repair_line,),
    # Handlers.
    rf"Define one of .*, for example def ({METHOD})\(\)\.": (define("{0}", GET),),
    rf"Define one function for each method, for example def ({METHOD})\(\)\.": (
        define("{0}", GET),
    ),
    rf"Did you mean ({METHOD})\? Rename the function if it is a helper\.": (
        edit(r"^def \w+\(", "def {0}("),
        both(edit(r"^def \w+\(", "def helper("), define("GET", GET)),
    ),
    r"Remove or rename it\. Every (\w+) request is answered with 405\.": (
        define("{0}", ""),
        edit("def {0}", "def renamed"),
    ),
    r"Move it to (\S+/middleware\.py), or rename it if it is something else\.": (
        both(define("middleware", ""), write("middleware.py", MIDDLEWARE)),
        edit(r"\bmiddleware\b", "renamed"),
    ),
    rf"Write def ({METHOD})\(\), or rename the variable\.": (
        define("{0}", "def {0}():\n    return 'x'\n"),
        edit("^{0}", "renamed"),
    ),
    rf"Write def ({METHOD})\(\), or assign an instance that can be called\.": (
        define("{0}", "def {0}():\n    return 'x'\n"),
        define("{0}", "{0} = type('Handler', (), {{'__call__': lambda self: 'x'}})()"),
    ),
    rf"Write it as a generator: def ({METHOD})\(\) with yield\.": (
        define("{0}", "def {0}():\n    yield 'x'\n"),
    ),
    # Arguments.
    r"It can ask for '(\w+)', 'request' and 'params'\. Any other parameter needs a default\. "
    r"For a value from the client, write (\w+): (\w+)\[(\w+)\]\. "
    r"For any other, define \w+\(\) in a dependencies\.py of this folder or above\.": (
        edit(r"\b{1}\b", "{0}"),
        edit(r"\b{1}\)", "{1}=None)"),
        both(
            edit(r"\b{1}\)", "{1}: {2}[{3}])"),
            edit(r"\A", "from flask_routehandlers import {2}\n"),
        ),
        lambda tree, problem, _, name, *rest: write_files(
            tree.path(problem.files[0]).parent,
            {"dependencies.py": f"def {name}(): return 1\n"},
        ),
    ),
    r"(?:Did you mean '\w+'\? )?It can ask for '(\w+)'.*\. "
    r"Any other parameter needs a default\.": (
        edit(r"\b(def \w+\()\w+", r"\1{0}"),
        edit(r"\b(def \w+\(\w+)", r"\1=None"),
    ),
    r"Remove the / from its signature\.": (edit(r", /", ""),),
    rf"Rename the folder to ({NAME}), or write (\w+): str\.": (
        to("{0}"),
        edit(r"\b{1}: \w+", "{1}: str"),
    ),
    r"Write (\w+): (\w+)\.": (edit(r"\b{0}: \w+(\[.*?\])?", "{0}: {1}"),),
    # Middleware.
    rf"Rename (\w+) to middleware, or write {FORM}\.": (
        edit(r"\b{0}\b", "middleware"),
        write_middleware,
    ),
    rf"Write {FORM}\.": (write_middleware,),
    rf"List functions, each written as {FORM}\.": (
        define("middleware", f"{MIDDLEWARE}\n\nmiddleware = [middleware]"),
    ),
    rf"Add functions to it, write {FORM}, or remove the file\.": (
        define("middleware", f"{MIDDLEWARE}\n\nmiddleware = [middleware]"),
        write_middleware,
        remove_first,
    ),
    r"Move it to a middleware\.py in that folder, or read params\.get\('(\w+)'\)\.": (
        both(write("[shop]/middleware.py", "def middleware(shop, call_next): ..."), remove_first),
        edit(r"\b{0}, ", "params, "),
    ),
    # Route config.
    r"Write def generate_static_params\(\), which returns a list of dicts\.": (
        define("generate_static_params", "def generate_static_params():\n    return []"),
    ),
    r"Write a list of strings, or a function of path parameters that returns one\.": (
        define("cache_tags", "cache_tags = ['posts']"),
        define("cache_tags", "def cache_tags(id):\n    return ['posts']"),
    ),
    r"(?:Did you mean '\S+'\? )?It must be one of (?:'(\S+)'(?:, )?)+\.": (
        define("dynamic", "dynamic = '{0}'"),
    ),
    r"Write whole seconds, revalidate = 60, or revalidate = False: until revalidated\. "
    r"Without it, or with 0, the handler runs for each request\.": (
        define("revalidate", "revalidate = 60"),
        define("revalidate", "revalidate = False"),
    ),
    r"Write True or False\.": (define("dynamic_params", "dynamic_params = True"),),
    r"Write a list: (cache_tags = \S+)\.": (define("cache_tags", "{0}"),),
    r"Define GET, or remove dynamic and revalidate\.": (
        define("GET", GET),
        both(define("dynamic", ""), define("revalidate", "")),
    ),
    r"Define generate_static_params\(\), which returns a list of dicts, or remove "
    r"dynamic_params\.": (
        define("generate_static_params", "def generate_static_params():\n    return []"),
        define("dynamic_params", ""),
    ),
    r"Remove it: without parameters there is one URL\.": (define("generate_static_params", ""),),
    r"Remove one of them\.": (define("dynamic", ""), define("revalidate", "")),
    r"Make it static with revalidate = 60 \(seconds\) or revalidate = False "
    r"\(until revalidated\), or remove (\w+)\.": (
        define("revalidate", "revalidate = 60"),
        define("revalidate", "revalidate = False"),
        define("{0}", ""),
    ),
    # The app.
    r"It has any, (\w+), .*\. Add your own to app\.url_map\.converters before RouteHandlers\.": (
        lambda tree, problem, name: rename_folder(tree, problem, f"[id={name}]"),
        define_converter,
    ),
    r"Register your own converter whose regex needs at least one character\.": (define_converter,),
    r"Register your own converter that needs none\.": (define_converter,),
    r"For several segments use a catch-all, (\[\S+\]), as the last folder\. "
    r"For one segment set part_isolating = True in the class of the converter\.": (
        to("{0}"),
        define_converter,
    ),
    r"Remove one of them, or give RouteHandlers another url_prefix\.": (
        remove_first,
        in_wsgi(r"^@app.*\n(?:.+\n)+", ""),
        in_wsgi(r"RouteHandlers\(app\)", "RouteHandlers(app, url_prefix='/other')"),
    ),
    r"Give this one another name: RouteHandlers\(app, root, name=\.\.\.\)\.": (
        in_wsgi(r"(RouteHandlers\(app, .*)\)(?=\s*\Z)", r"\1, name='other')"),
    ),
    r"Serve the tree from a separate app, and dispatch to it by host\.": (
        in_wsgi(r"^app = .*", "app = Flask(__name__)"),
    ),
    r"Create it as Flask\(__name__, subdomain_matching=True\), and set SERVER_NAME in its config "
    r"before RouteHandlers\(app\)\.": (
        in_wsgi(
            r"^(app = Flask\(.*)\)$",
            r"\1, subdomain_matching=True)\napp.config['SERVER_NAME'] = 'example.com'",
        ),
    ),
    r"Write it as a Flask rule, for example (\S+) or (\S+)\.": (
        in_wsgi("url_prefix=.*?([,)])", r"url_prefix='{0}'\1"),
        in_wsgi("url_prefix=.*?([,)])", r"url_prefix='{1}'\1"),
    ),
    r"It must be the URL of a server, (\S+), or None\.": (give_setting("None"),),
    r"It must be a string of printable characters\.": (give_setting("'x'"),),
    r"It must be a whole number, 1 or more\.": (give_setting("1"),),
    r"It must be a number of seconds, more than 0\.": (give_setting("0.5"),),
    r"Did you mean (ROUTE_HANDLERS_\w+)\?.*": (rename_setting,),
    r"Set app\.config\['SECRET_KEY'\] before RouteHandlers, to the same value in every "
    r"process\.": (configure("app.config['SECRET_KEY'] = 'x'"),),
    r"Write redis://HOST:PORT/NUMBER, and percent-encode special characters of a password\.": (
        give_setting("'redis://localhost:6379/0'"),
    ),
    r"Remove revalidate and dynamic, or serve the file from a tree without a subdomain\.": (
        define("revalidate", ""),
        in_wsgi(r", subdomain=.*(?=\)$)", ""),
    ),
    r"Create it as (Flask\(.*\)), and set SERVER_NAME in its config before "
    r"RouteHandlers\(app\)\.": (
        in_wsgi(r"^app = .*", "app = {0}\napp.config['SERVER_NAME'] = 'example.com'"),
    ),
    r"Set (ROUTE_HANDLERS_CACHE_PREFIX) in app\.config to a different string for each app, or to "
    r"the same one if they may serve each other's responses\.": (
        in_wsgi(r"^( +)(?=RouteHandlers\()", r"\1app.config['{0}'] = str(id(app))\n\1"),
        in_wsgi(r"^( +)(?=RouteHandlers\()", r"\1app.config['{0}'] = 'same'\n\1"),
    ),
    # The OpenAPI document.
    r"Write (openapi = \{.*\})\.": (define("openapi", "{0}"),),
    r"Write (openapi = \{.*\}), or (openapi = False) to hide the route\.": (
        define("openapi", "{0}"),
        define("openapi", "{1}"),
    ),
    r"Write \"(404)\"\.": (edit("{0}", '"{0}"'),),
    r"Use one of these: (GET)\.": (edit("POST", "{0}"),),
    r"Use dict, list, str, int, float, bool and None\.": (edit(r"\{{2026\}}", "[2026]"),),
    r"Did you mean \"(\w+)\"\? The names of other fields start with \"x-\"\.": (
        edit("sumary", "{0}"),
        edit("sumary", "x-sumary"),
    ),
    r"Write it so, or None to remove it\.": (
        edit('"shop"', '["shop"]'),
        edit('"shop"', "None"),
    ),
    r"Write \"GET\": (\{.*\}), or \"GET\": (False) to hide it\.": (
        edit('"hidden"', "{0}"),
        edit('"hidden"', "{1}"),
    ),
    r"Describe it in a docstring or in info\.description, or answer POST too\.": (
        edit("def QUERY", "def POST"),
    ),
    r"Declare it in (\S+): openapi = \{\"components\": "
    r"(\{\"securitySchemes\": \{\"\w+\": \{\.\.\.\}\}\})\}\.": (
        lambda tree, problem, file, value: tree.edit(
            tree.path(file),
            r"openapi = \{",
            'openapi = {"components": '
            + value.replace("...", '"type": "http", "scheme": "basic"')
            + ", ",
        ),
    ),
    r"Give one of them another: openapi = \{\"(\w+)\": \{\"operationId\": \"\.\.\.\"\}\}\.": (
        edit('"list"', '"list_{0}"'),
    ),
    r"Move the file to (\S+)\.": (move("{0}"),),
    r"Run flask route-handlers new (\S+) --openapi, which writes one\.": (
        lambda tree, problem, folder: write_files(
            tree.path(folder),
            {"route.py": "from flask_routehandlers.openapi import document\nGET = document\n"},
        ),
    ),
    # Arguments that a client sends.
    r"Import its names at run time, not only for type checkers\.": (
        edit(r"^if TYPE_CHECKING:\n +", ""),
    ),
    r"Put it outside, as in page: Query\[int \| None\] = None\.": (
        edit(r"x: .*\)(?=:)", "x: Query[int | None] = None)"),
    ),
    r"Use one: a value comes from one part of the request\.": (edit(r"Header\[int\]", "int"),),
    r"Write (\w+): \.\.\. \| None = None\.": (edit(r"\| None\)", "| None = None)"),),
    r"Write (\w+): Query\[str\], or another type\.": (
        edit(r"{0}: Query\b", "{0}: Query[str]"),
        edit(r"{0}: Query\b", "{0}: Query[int]"),
    ),
    r"Combine them in one type\.": (edit(r", b: Body\[int\]", ""),),
    r"Use Form for all of it: Form\[Json\[T\]\], with pydantic's Json, reads JSON in a form\.": (
        both(edit(r"Body\[int\]", "Form[Json[int]]"), edit(r"\A", "from pydantic import Json\n")),
    ),
    r"Use Query, or move it to a POST, PUT, PATCH or DELETE handler\.": (
        edit(r"Body\[", "Query["),
        edit("def GET", "def POST"),
        edit("def GET", "def DELETE"),
    ),
    r"Write Annotated\[str, Scheme\(\.\.\.\)\]\.": (edit(r"Annotated\[int", "Annotated[str"),),
    r"Write (\w+): Form\[FileStorage\]\.": (
        both(edit(r"Query\[FileS", "Form[FileS"), edit("def GET", "def POST")),
    ),
    r"Write (\w+): Bearer, or Annotated\[str, Scheme\(\.\.\.\)\] for another scheme\.": (
        edit(r"{0}: Header\[str\]", "{0}: Bearer"),
        edit(r"{0}: Header\[str\]", "{0}: Annotated[str, Scheme('Token')]"),
    ),
    r"Use one of them: a structured type is all of its place, a plain type one key\.": (
        edit(r"Item \| int", "Item"),
        edit(r"Item \| int", "int"),
    ),
    r"Write a TypedDict with the keys\.": (
        both(
            edit(r"dict\[str, str\]", "Keys"),
            edit(r"(?=^def)", "class Keys(TypedDict):\n    a: str\n"),
        ),
    ),
    r"Read them from a Body, or as JSON: (\w+\[Json)\[\.\.\.\]\], with pydantic's Json\.": (
        both(edit(r"Query\[", "Body["), edit("def GET", "def POST")),
        edit(r"Query\[(.*)\](?=\):)", r"{0}[\1]]"),
    ),
    r"Read it from a Body, or annotate the field as Json\[\.\.\.\], with pydantic's Json\.": (
        both(edit(r"Query\[", "Body["), edit("def GET", "def POST")),
        edit(r"    item: Item", "    item: Json[Item]"),
    ),
    r"Use a type that (?:pydantic supports|msgspec supports|JSON Schema can describe)\.": (
        edit(r"(Query|Body)\[.*\]", r"\1[int]"),
    ),
    r"Use types of one library in an annotation\.": (edit(r"Struct \| Model", "Struct"),),
    r"Write (Field\(alias=\"page-size\"\))\.": (edit(r"Field\(.*?\)(?=\])", "{0}"),),
    r"Remove the argument\.": (edit(r"\b(cache_tags|user)\(.*\)", r"\1()"),),
    r"Remove the marker, or rename the argument\.": (
        edit(r"Query\[(\w+)\]", r"\1"),
        edit(r"\w+: Query", "renamed: Query"),
    ),
    r"Rename the argument\.": (edit(r"\w+: Query", "renamed: Query"),),
    r"Read it from the path, or write dynamic = \"force-dynamic\"\.": (
        both(read_from_path, to("[a]")),
        define("revalidate", "dynamic = 'force-dynamic'"),
    ),
    r"Write (\w+): (Query\[.*\]) = (\S+) if it should come from the query: "
    r"(from flask_routehandlers import Query)\.": (
        both(edit(r"{0}: \w+ = {2}", "{0}: {1} = {2}"), edit(r"\A", "{3}\n")),
    ),
    # Answers.
    r"Write class (\w+)\(Conflict\), or another class of werkzeug\.exceptions\.": (
        both(
            edit(r"(?=^def)", "class {0}(Conflict): ...\n"),
            edit(r"\A", "from werkzeug.exceptions import Conflict\n"),
        ),
        both(
            edit("KeyError", "NotFound"), edit(r"\A", "from werkzeug.exceptions import NotFound\n")
        ),
    ),
    r"Write tuple\[Body, Literal\[201\]\], or tuple\[Body, int\] for any status\.": (
        edit(r"Literal\['a'\]", "Literal[201]"),
        edit(r"Literal\['a'\]", "int"),
    ),
    r"Write tuple\[Body, Literal\[201\]\] or tuple\[Body, Literal\[201\], Headers\], "
    r"or list\[\.\.\.\] for a JSON array\.": (
        edit(r"tuple\[Item, \.\.\.\]", "tuple[Item, Literal[201]]"),
        both(
            edit(r"tuple\[Item, \.\.\.\]", "tuple[Item, Literal[201], Headers]"),
            edit(r"\A", "from werkzeug.datastructures import Headers\n"),
        ),
        edit(r"tuple\[Item, \.\.\.\]", "list[Item]"),
    ),
    r"Declare an error, for example NotFound, or NoContent for return \"\", 204\.": (
        both(
            edit(r"\| None", "| NotFound"),
            edit(r"\A", "from werkzeug.exceptions import NotFound\n"),
        ),
        both(
            edit(r"\| None", "| NoContent"),
            edit(r"\A", "from flask_routehandlers import NoContent\n"),
        ),
    ),
    r"Write Iterator\[str\], or list\[\.\.\.\] for a JSON array\.": (
        edit(r"Iterator\[Item\]", "Iterator[str]"),
        both(edit(r"Iterator\[Item\]", "list[Item]"), edit("yield 'x'", "return []")),
    ),
    # Dependencies.
    r"Remove the default\. Tests can pass the argument, or use override\(\)\.": (
        edit("=None", ""),
    ),
    r"Did you mean the dependency (\w+)\? Rename the argument otherwise\.": (
        edit(r"\w+=None", "{0}"),
        edit(r"\w+=None", "renamed=None"),
    ),
    r"Did you mean the dependency (\w+)\? Remove the annotation otherwise\.": (
        edit(r"\w+: Decimal = Decimal\(\)", "{0}"),
        edit(": Decimal = ", " = "),
    ),
    r"It can ask for .* Any other parameter needs a default\. For a value from the client, write "
    r"(\w+): (\w+)\[(\w+)\]\. For any other, define \w+\(\) in a dependencies\.py of this folder "
    r"or above\. If (\w+) is not a dependency, begin its name with an underscore\.": (
        edit(r"\b{0}\)", "{0}=None)"),
        both(
            edit(r"\b{0}\)", "{0}: {1}[{2}])"),
            edit(r"\A", "from flask_routehandlers import {1}\n"),
        ),
        both(edit(r"\b{3}\(", "_{3}("), edit(r"\Z", "\ndef db(): return 1\n")),
    ),
    r"Remove the argument, or define the outer one in a folder above\.": (
        edit(r"\(user\)", "()"),
        write("../dependencies.py", "def user(): return 1"),
    ),
    r"Rename one of the two\.": (
        edit("def lang", "def language"),
        in_wsgi("/<lang>", "/<language>"),
    ),
    r"Define it, or remove it\.": (
        edit(r"\A", "def nix(): return 1\n"),
        edit(", 'nix'", ""),
    ),
    r"Write def (\w+)\(\), which returns it\.": (define("{0}", "def {0}():\n    return 1"),),
    r"Remove @((?:async)?contextmanager): a dependency that yields is cleaned up by itself\.": (
        edit("^@{0}\n", ""),
    ),
    r"List the names that it offers: (__all__ = \['(\w+)'), \.\.\.\]\.": (
        lambda tree, problem, code, name: tree.edit(
            tree.path("dependencies.py"), r"\Z", f"\n{code}]\n"
        ),
    ),
    r"Write a list of names, for example (__all__ = \[\"db\"\])\.": (define("__all__", "{0}"),),
    r"Define a function, for example (def db\(\)), or list imported ones in __all__\.": (
        edit(r"\A", "{0}: return 1\n"),
        edit(r"\A", "from os import getcwd\n__all__ = ['getcwd']\n"),
    ),
    r"Remove one of the arguments, or move what both need into another dependency\.": (
        edit(r"def a\(b\)", "def a()"),
        edit(r"def a\(b\): .*\ndef b\(a\)", "def c(): return 1\ndef a(c): return 1\ndef b(c)"),
    ),
    r"Correct one of the annotations\.": (
        edit("db: str", "db: int"),
        lambda tree, problem: tree.edit(tree.path("dependencies.py"), "-> int", "-> str"),
    ),
    r"Rename it\.": (edit(r"def \w+\(", "def renamed("),),
    r"Rename the dependency, or the folder to (\[\w+\])\.": (
        edit(r"def \w+\(", "def renamed("),
        lambda tree, problem, name: tree.rename(tree.path("[user]"), name),
    ),
    r"Name it as an argument where it is needed, or remove it\. .*": (
        lambda tree, problem: tree.edit(tree.path("x/route.py"), r"GET\(\)", "GET(cart)"),
        remove_first,
        edit("def cart", "def other(): return 1\ndef _cart"),
    ),
    r"Name (\w+) before (\w+)\.": (
        lambda tree, problem, guard, first: tree.edit(
            tree.path(problem.files[0]), rf"{first}, {guard}", f"{guard}, {first}"
        ),
    ),
    r"Let it run before .*: in a folder above, or first in the list\.": (
        edit(r"\[require_token, allow_origins\]", "[allow_origins, require_token]"),
    ),
    # Warnings.
    r"Did you mean (\w+)\?": (edit(r"^\w+(?= = )", "{0}"),),
    r"Write (\w+)\.": (edit(r"^dynamicParams = \w+", "revalidate = 60\n{0} = True"),),
    r"It is not supported here: remove it\.": (define("maxDuration", ""),),
    r"Write (\w+) = \.\.\., not (\w+): \.\.\.": (edit(r"^{0}: int", "{0} = 60"),),
    r"Add (@functools\.wraps\(function\)) to w\(\) in hide\(\)\.": (
        both(edit(r"^    def w", "    {0}\n    def w"), edit(r"\A", "import functools\n")),
    ),
    r"If it guards the handler, write it as a middleware: that runs before\.": (
        both(edit(r"^@hide\n", ""), write("middleware.py", MIDDLEWARE)),
    ),
    r"Import its names at run time if it should declare them\.": (
        edit(r"^if TYPE_CHECKING:\n +", ""),
    ),
    r"Remove it\. An extension such as Flask-Sock adds rules for WebSockets\.": (
        define("SOCKET", ""),
    ),
    r"Move it to (\S+) if it should answer requests\.": (move("{0}"),),
    r"Rename it to (route\.py|middleware\.py|dependencies\.py) if .*\.": (
        lambda tree, problem, name: tree.rename(tree.path(problem.files[0]), name),
    ),
    r"Rename it to (\S+) if its name should be in the URL\.": (to("{0}"),),
    r"Rename it to (\S+) if it should be a parameter\.": (rename_folder,),
    r"Move it to the folder of a route file or above, or remove it\.": (
        move("middleware.py"),
        remove_first,
    ),
    r"Create one, for example (\S+)\.": (
        lambda tree, problem, file: write_files(Path(file).parent, {Path(file).name: GET}),
    ),
    r"Remove one of the two, or make the URL of one more specific\.": (
        in_wsgi(r"^app\.add_url_rule\(.*", ""),
        to("v[id=int]"),
    ),
    r"Remove one of the two, or give one of them another URL\.": (
        in_wsgi(r"^app\.add_url_rule\(.*", ""),
        to("renamed"),
    ),
}


# Examples -------------------------------------------------------------------------------------

#: The examples that files alone cause, by section and number.
EXAMPLES = {
    f"{section.title.strip('# ')} {number}": example
    for section in SECTIONS
    for number, example in enumerate(section.examples, 1)
    if example.is_about_tree
}


def write_example(example: Example, folder: Path) -> Tree:
    """Write the project of an example."""
    (folder / "app").mkdir(parents=True)
    write_files(folder, DEFAULT_FILES)
    for file, content in example.files.items():
        code = example.imports + content if file.endswith("/route.py") else content
        write_files(folder, {file: code})
    for file in example.named:
        name = file if file.endswith(".py") else f"{file}/route.py"
        write_files(folder / "app/api", {name: ANY_HANDLER})
    return Tree(folder)


def find_follows(problem: Problem) -> list[Callable[[Tree], None]]:
    """What can be done about a problem: one function for each alternative of its hint."""
    for pattern, follows in HINTS.items():
        match = re.fullmatch(pattern, problem.hint)
        if match:
            return [partial(follow_in, problem, follow, match.groups()) for follow in follows]
    pytest.fail(f"no one knows how to follow the hint {problem.hint!r}")


def follow_in(problem: Problem, follow: Follow, groups: tuple[str, ...], tree: Tree) -> None:
    follow(tree, problem, *groups)


def is_left(problem: Problem, found: list[Problem]) -> bool:
    """Whether a problem is still there, or an error is."""
    return any(p.severity == "error" or p.reason == problem.reason for p in found)


@pytest.mark.ci
@pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES)
def test_each_hint_works(tmp_path, example):
    original = write_example(example, tmp_path / "project")
    problems = original.find_problems()
    assert problems
    for problem in problems:
        # The same files can have other problems, with hints.
        others = [p for p in problems if p is not problem and set(p.files) & set(problem.files)]
        for number in range(len(find_follows(problem))):
            tree = write_example(example, tmp_path / f"project{next(_numbers)}")
            tree.keep_only(problem, problems)
            find_follows(relocate(problem, str(original.folder), str(tree.folder)))[number](tree)
            found = tree.find_problems()
            said = f"alternative {number} of {problem.hint!r} leads to {[*map(str, found)]}"
            assert problem.reason not in [other.reason for other in found], said
            for _ in others:
                errors = [other for other in found if other.severity == "error"]
                if errors:
                    find_follows(errors[0])[0](tree)
                    found = tree.find_problems()
            assert not is_left(problem, found), said


# All hints ------------------------------------------------------------------------------------

PACKAGE = Path(flask_routehandlers.__file__).parent

#: The modules whose hints are all followed here; tests/test_hints.py has those of the tree.
MODULES = [
    *(file for room in ("binding", "contracts", "dependencies", "handlers", "cli/check")
      for file in sorted((PACKAGE / room).glob("*.py"))),
    PACKAGE / "build.py",
    PACKAGE / "routes.py",
]  # fmt: skip

#: Hints that are not followed here, with the reason.
NOT_FOLLOWED = {
    "Write what it does in its first line.": "a matter of taste, for --strict",
    "Write what it answers, for example -> list[Article] | NotFound.": "the same",
    "Return a model or a dataclass for 2026-01-02T00:00:00.": "the same",
    "Use Query, or POST to another URL.": "the same",
    "Install one of them, or remove the return annotation.": "needs an environment without both",
    "Its rules and converters are not known: name the app with flask --app.": "about a command",
    "Name the app with flask --app.": "the same",
    "Check one of those, or give RouteHandlers this root where the app is made.": "the same",
    "To check a tree without its app, name its root: --root app/api.": "the same",
    "Include the folder in the build backend's configuration, then build and install it again.": (
        "test_packaging follows it"
    ),
}


def find_positions(module: ast.Module) -> dict[str, int]:
    """For each function and class of a module with a parameter ``hint``: its position."""
    positions = {}
    for node in ast.walk(module):
        names: list[str] = []
        if isinstance(node, ast.FunctionDef):
            names = [argument.arg for argument in node.args.args if argument.arg != "self"]
        elif isinstance(node, ast.ClassDef):
            names = [ast.unparse(x.target) for x in node.body if isinstance(x, ast.AnnAssign)]
        if "hint" in names and isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            positions[node.name] = names.index("hint")
    return positions


def hints_in(file: Path) -> Iterator[str]:
    """The hints of a module that are written as literals; NUL is where a value is filled in."""
    module = ast.parse(file.read_text("utf-8"))
    positions = {"Problem": 1} | find_positions(module)
    for node in ast.walk(module):
        value: ast.expr | None = None
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", "")
            position = positions.get(name, 1 if name.endswith("Error") else None)
            if position is not None and position < len(node.args):
                value = node.args[position]
        elif isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "hint":
            value = node.value
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            yield value.value
        elif isinstance(value, ast.JoinedStr):
            parts = (p.value if isinstance(p, ast.Constant) else "\0" for p in value.values)
            yield "".join(map(str, parts))


def test_every_hint_has_an_example(tmp_path):
    hints = [
        problem.hint
        for number, example in enumerate(EXAMPLES.values())
        for problem in write_example(example, tmp_path / f"all{number}").find_problems()
    ]
    missing = {
        hint
        for file in MODULES
        for hint in hints_in(file)
        if not re.search(r"^\0*$", hint)
        and not any(
            re.fullmatch(".+".join(map(re.escape, re.split("\0+", hint))), shown, re.S)
            for shown in hints
        )
    }
    assert sorted(missing - set(NOT_FOLLOWED)) == []
    assert sorted(set(NOT_FOLLOWED) - missing) == []
