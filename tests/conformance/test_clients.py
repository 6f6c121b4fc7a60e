"""Clients that are generated from the documents."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from tests.conformance.support import HERE, run, serve

#: The generator, which otherwise requires fields with a default in requests too.
GENERATE = ["openapi-typescript", "--default-non-nullable", "false", "-o", "client.d.ts"]

#: The options of the compiler that a new project has.
TSC = ["--strict", "--noEmit", "--target", "es2022", "--lib", "es2022,dom"]
TSC += ["--module", "nodenext", "--moduleResolution", "nodenext"]


@pytest.fixture
def typescript(tmp_path: Path) -> Path:
    """Return the folder of a project in TypeScript."""
    (tmp_path / "package.json").write_text('{"private": true, "type": "commonjs"}')
    (tmp_path / "node_modules").symlink_to(HERE / "node_modules")
    return tmp_path


def test_typescript_compiles(document, typescript):
    run([*GENERATE, document], typescript)
    run(["tsc", *TSC, "client.d.ts"], typescript)
    assert "paths" in (typescript / "client.d.ts").read_text("utf-8")


def test_typescript_refuses_wrong_calls(document_of, typescript):
    run([*GENERATE, document_of("library")], typescript)
    shutil.copy(HERE / "use.ts", typescript)
    run(["tsc", *TSC, "use.ts"], typescript)
    # Without its comments, each wrong call is an error.
    source = (HERE / "use.ts").read_text("utf-8")
    count = source.count("// @ts-expect-error: ")
    (typescript / "use.ts").write_text(source.replace("@ts-expect-error: ", ""))
    done = run(["tsc", *TSC, "use.ts"], typescript, expected=2)
    assert done.stdout.count("error TS") == count > 10


def generate(document: Path, folder: Path) -> str:
    """Generate a package ``client`` in a folder; return what the generator prints."""
    command = ["openapi-python-client", "generate", "--path", document, "--meta", "none"]
    return run([*command, "--output-path", folder / "client"], folder).stdout


IMPORT_ALL = """
import importlib, pkgutil, client
for module in pkgutil.walk_packages(client.__path__, "client."):
    importlib.import_module(module.name)
    print(module.name)
"""


def test_python_imports_a_client(document, tmp_path):
    generate(document, tmp_path)
    assert "client.models." in run([sys.executable, "-c", IMPORT_ALL], tmp_path).stdout


USE = """
from client import Client
from client.api.books import get_books, post_books
from client.models import Genre, NewBook, Paper, Problem

with Client(base_url={url!r}) as library:
    page = get_books.sync(client=library, limit=1, genre=[Genre.NOVEL])
    assert [book.title for book in page.books] == ["Pride and Prejudice"], page
    emma = NewBook(isbn="9780141439587", title="Emma", form=Paper(kind="paper", pages=474))
    book = post_books.sync(client=library, body=emma)
    assert (book.title, book.copies) == ("Emma", 0), book
    again = post_books.sync(client=library, body=emma)
    assert isinstance(again, Problem), again
    assert again.detail == "There is a book 9780141439587.", again
"""


def test_a_client_in_python_works(document_of, tmp_path):
    generate(document_of("library"), tmp_path)
    with serve("library", tmp_path) as served:
        run([sys.executable, "-c", USE.format(url=served.url)], tmp_path)
