"""``flask route-handlers export``: what is written, what is refused, and what a kill leaves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from random import Random

import pytest

from flask_routehandlers import RouteHandlers
from tests.commands import WSGI, child_environment, errors_at_terminal, invoke
from tests.support import bare_app, until, write_files

LISTED = "def generate_static_params():\n    return {params!r}\n\n\n"
STATIC = "revalidate = False\n\n\n"


def static(body: str, params: object = None) -> str:
    """A route file whose GET is static, and lists parameters if they are given."""
    listed = "" if params is None else LISTED.format(params=params)
    return f"{STATIC}{listed}def GET(params):\n    {body}\n"


ECHO = "return params"

FILES = {
    "route.py": static("return {'root': True}"),
    "posts/route.py": static("return ['hello', 'cache']"),
    "posts/[slug]/route.py": static(
        "return {'post': params['slug']}", [{"slug": "hello"}, {"slug": "C# & ärger"}]
    ),
    "files/[...path]/route.py": static(ECHO, [{"path": ["a", "b.txt"]}]),
    "years/[[...rest]]/route.py": static(ECHO, [{"rest": []}, {"rest": ["2026", "7"]}]),
    "ids/[id=int]/route.py": static("return {'type': type(params['id']).__name__}", [{"id": 7}]),
    "(pages)/about/route.py": static("return '<h1>About</h1>'"),
    "feed.xml/route.py": static("return '<rss/>', {'Content-Type': 'application/xml'}"),
    "old/route.py": "from flask import redirect\n\n"
    + static("return redirect('/api/posts', 308)"),
    "gone/route.py": static("return {'error': 'gone'}, 410"),
    "now/route.py": "def GET(): ...\n",
    "save/route.py": "def POST(): ...\n",
}

#: URL, file, status, content type, body.
JSON, PAGE = "application/json", "text/html; charset=utf-8"
EXPORTED = [
    ("/api", "api/index.json", 200, JSON, b'{"root":true}\n'),
    ("/api/about", "api/about.html", 200, PAGE, b"<h1>About</h1>"),
    ("/api/feed.xml", "api/feed.xml", 200, "application/xml", b"<rss/>"),
    ("/api/files/a/b.txt", "api/files/a/b.txt", 200, JSON, b'{"path":["a","b.txt"]}\n'),
    ("/api/gone", None, 410, None, None),
    ("/api/ids/7", "api/ids/7", 200, JSON, b'{"type":"int"}\n'),
    ("/api/old", None, 308, None, None),
    ("/api/posts", "api/posts/index.json", 200, JSON, b'["hello","cache"]\n'),
    ("/api/posts/C%23%20&%20%C3%A4rger", "api/posts/C# & ärger", 200, JSON,
     b'{"post":"C# & \\u00e4rger"}\n'),
    ("/api/posts/hello", "api/posts/hello", 200, JSON, b'{"post":"hello"}\n'),
    ("/api/years", "api/years/index.json", 200, JSON, b'{"rest":[]}\n'),
    ("/api/years/2026/7", "api/years/2026/7", 200, JSON, b'{"rest":["2026","7"]}\n'),
]  # fmt: skip


def export(app, *arguments) -> tuple[int, str]:
    """Exit status and output of the command, in this process; files as below ``app/api``."""
    status, output, errors = invoke(app, "export", *arguments)
    return status, (output + errors).replace(f"\n{app.root_path}/app/api/", "\n")


def contents(folder: Path) -> dict[str, bytes]:
    files = {path.relative_to(folder): path for path in folder.rglob("*") if path.is_file()}
    return {name.as_posix(): path.read_bytes() for name, path in sorted(files.items())}


def leftovers(folder: Path) -> list[str]:
    """The working folders of exports to a folder."""
    return [name for name in os.listdir(folder.parent) if name.startswith(f".{folder.name}.")]


def listed(folder: Path) -> list[dict[str, object]]:
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    assert manifest.keys() == {"generator", "urls"}
    return manifest["urls"]


def test_each_static_url_is_a_file_or_an_entry(make_app, tmp_path):
    folder = tmp_path / "out"
    assert export(make_app(FILES), folder) == (
        0,
        f"Exported 12 URLs to {folder}, 10 of them as files.\n",
    )
    written = contents(folder)
    del written["manifest.json"]
    assert written == {file: body for _, file, _, _, body in EXPORTED if file}
    found = listed(folder)
    assert [
        (item["url"], item["file"], item["status"], item["headers"].get("Content-Type"),
         item["sha256"]) for item in found
    ] == [(*one[:4], one[4] and sha256(one[4]).hexdigest()) for one in EXPORTED]  # fmt: skip
    assert [item["headers"].get("Location") for item in found if item["status"] == 308] == [
        "/api/posts"
    ]
    assert leftovers(folder) == []


def test_two_exports_of_one_app_are_the_same(make_app, tmp_path):
    app = make_app(FILES)
    for name in ("one", "other"):
        assert export(app, tmp_path / name)[0] == 0
    assert contents(tmp_path / "one") == contents(tmp_path / "other")


def test_an_app_without_static_handlers(make_app, tmp_path):
    app = make_app({"route.py": "def GET(): ..."})
    assert export(app, tmp_path / "out") == (
        0, f"Exported 0 URLs to {tmp_path}/out, 0 of them as files.\n",
    )  # fmt: skip
    assert list(contents(tmp_path / "out")) == ["manifest.json"]


def test_several_trees_are_exported_together(tree, tmp_path):
    folder = tree({"posts/route.py": static("return 'posts'")})
    app = bare_app(folder)
    RouteHandlers(app)
    write_files(folder / "app/pages", {"about/route.py": static("return 'about'")})
    RouteHandlers(app, "app/pages", url_prefix="")
    assert export(app, tmp_path / "out")[0] == 0
    assert list(contents(tmp_path / "out")) == ["about.html", "api/posts.html", "manifest.json"]


def test_files_of_several_trees_are_distinguished(tree, tmp_path, monkeypatch):
    folder = tree({"posts/[id]/route.py": static("return 'posts'")})
    write_files(folder / "pages", {"posts/[id]/route.py": static("return 'about'")})
    app = bare_app(folder)
    RouteHandlers(app)
    RouteHandlers(app, "pages")
    monkeypatch.chdir(folder)
    unlisted = (
        "  Nothing lists the parameters of its URLs.\n"
        "  Define generate_static_params(), which returns a list of dicts.\n"
    )
    assert export(app, tmp_path / "out") == (
        2,
        "Error: Nothing is exported: 2 problems.\n\n"
        f"app/api/posts/[id]/route.py\n{unlisted}\npages/posts/[id]/route.py\n{unlisted}",
    )


def test_parameters_of_a_prefix_are_listed_too(tree, tmp_path):
    app = bare_app(tree({"[slug]/route.py": static(ECHO, [{"lang": "en", "slug": "a"}])}))
    RouteHandlers(app, url_prefix="/<lang>/api")
    assert export(app, tmp_path / "out")[0] == 0
    assert contents(tmp_path / "out")["en/api/a"] == b'{"lang":"en","slug":"a"}\n'


def test_the_store_is_not_needed(make_app, tree, tmp_path):
    app = bare_app(tree({"route.py": static("return {}")}))
    app.config |= {"ROUTE_HANDLERS_CACHE_URL": "redis://127.0.0.1:1", "SECRET_KEY": "x" * 32}
    RouteHandlers(app)
    assert export(app, tmp_path / "out")[0] == 0


def test_handlers_run_whatever_is_stored(make_app, tmp_path):
    app = make_app(
        {"route.py": f"from itertools import count\n\n{STATIC}n = count()\n\n\n"
         "def GET():\n    return {'n': next(n)}\n"}
    )  # fmt: skip
    assert app.test_client().get("/api").json == {"n": 0}
    for n in (1, 2):
        assert export(app, tmp_path / "out")[0] == 0
        assert json.loads((tmp_path / "out/api").read_text()) == {"n": n}
    assert app.test_client().get("/api").json == {"n": 0}


def test_a_stream_is_written_whole(make_app, tmp_path):
    app = make_app(
        {"route.py": STATIC
         + "def GET():\n    for n in range(3000):\n        yield f'{n:01000}'\n"}
    )  # fmt: skip
    assert export(app, tmp_path / "out")[0] == 0
    assert len((tmp_path / "out/api.html").read_bytes()) == 3_000_000


# Refused ---------------------------------------------------------------------------------------

PROBLEM = "Error: Nothing is exported: 1 problem.\n\n{file}\n  {reason}\n  {hint}\n"
LEAVE_OUT = "Leave it out of generate_static_params, or list other parameters."


def is_untouched(folder: Path) -> bool:
    """Whether the folder of a failed export was not made, and nothing lies beside it."""
    return not folder.exists() and not [n for n in os.listdir(folder.parent) if n[:4] == ".out"]


WINDOWS = "ends with a dot or a space, which Windows removes"
KEPT_APART = (
    "differ only in letter case or Unicode form, which not every file system distinguishes"
)


@pytest.mark.parametrize(
    ("route", "values"),
    [
        ("[slug]", {"slug": ".."}),
        ("[slug]", {"slug": "."}),
        ("[slug]", {"slug": ""}),
        ("[slug]", {"slug": "../../etc/passwd"}),
        ("[slug]", {"slug": "/etc/passwd"}),
        ("[slug]", {"slug": "a/b"}),
        ("[slug]", {"slug": "a\0b"}),
        ("[slug]", {"slug": "..\\x"}),
        ("[slug]", {"slug": "\ud800"}),
        ("[slug]", {"slug": None}),
        ("[id=int]", {"id": "seven"}),
        ("[...path]", {"path": ["a", "..", "..", "x"]}),
        ("[...path]", {"path": ["", "etc"]}),
        ("[...path]", {"path": []}),
        ("[...path]", {"path": "a/b"}),
    ],
    ids=ascii,
)
def test_parameters_that_make_no_url_are_refused(make_app, tmp_path, route, values):
    app = make_app({f"{route}/route.py": static(ECHO, [values])})
    before = set(tmp_path.rglob("*"))
    status, output = export(app, tmp_path / "a/b/out")
    assert status == 2
    assert output.startswith(
        f"Error: Nothing is exported: 1 problem.\n\n{route}/route.py\n"
        f"  generate_static_params in {route}/route.py returned the parameters {values!r}, "
    )
    assert "Not Found" not in output
    assert output.endswith("\n  Look at what it returns.\n")
    assert set(tmp_path.rglob("*")) == before


def test_parameters_with_the_url_of_another_file(make_app, tmp_path):
    files = {"[slug]/route.py": static(ECHO, [{"slug": "me"}]), "me/route.py": static(ECHO)}
    assert export(make_app(files), tmp_path / "out") == (
        2,
        PROBLEM.format(
            file="[slug]/route.py",
            reason="generate_static_params in [slug]/route.py returned the parameters "
            "{'slug': 'me'}, but /api/me is a URL of api./me.",
            hint="Look at what it returns.",
        ),
    )


def test_parameters_with_a_url_of_no_file(make_app, tmp_path):
    app = make_app({"[slug]/route.py": static(ECHO, [{"slug": "a/b"}])})
    assert export(app, tmp_path / "out") == (
        2,
        PROBLEM.format(
            file="[slug]/route.py",
            reason="generate_static_params in [slug]/route.py returned the parameters "
            "{'slug': 'a/b'}, which make no URL of this file: /api/<slug> has no URL for "
            "{'slug': 'a/b'}: it would be /api/a/b, which the rule does not match.",
            hint="Look at what it returns.",
        ),
    )


@pytest.mark.parametrize(
    "params",
    [None, "abc", {"slug": "a"}, ["a"], [{}], [{"slug": "a", "more": 1}], [{"name": "a"}], 7],
    ids=repr,
)
def test_a_list_must_be_of_dicts_of_parameters(make_app, tmp_path, params):
    listed = LISTED.format(params=params)
    app = make_app({"[slug]/route.py": f"{STATIC}{listed}def GET(slug): ...\n"})
    status, output = export(app, tmp_path / "out")
    assert status == 2
    assert "generate_static_params in [slug]/route.py returned " in output
    assert is_untouched(tmp_path / "out")


@pytest.mark.parametrize(
    ("route", "params", "said"),
    [
        ("[slug]", [{"slug": "x" * 300}], f"/api/{'x' * 300} cannot be"),
        ("[slug]", [{"slug": "x" * 300}], "has 300 bytes, and a file name at most 255"),
        ("[slug]", [{"slug": "ä" * 128}], "has 256 bytes, and a file name at most 255"),
        ("[...path]", [{"path": ["x" * 200] * 6}], "bytes, and a path at most 1024"),
        ("[slug]", [{"slug": "Tag"}, {"slug": "tag"}], f"api/tag and api/Tag {KEPT_APART}"),
        ("[slug]", [{"slug": "é"}, {"slug": "e\u0301"}], KEPT_APART),
        ("[slug]", [{"slug": "con"}], "'con' is a device on Windows"),
        ("[slug]", [{"slug": "NUL.txt"}], "'NUL.txt' is a device on Windows"),
        ("[slug]", [{"slug": "a."}], f"'a.' {WINDOWS}"),
        ("[slug]", [{"slug": "a "}], f"'a ' {WINDOWS}"),
        ("[slug]", [{"slug": "C:x"}], "'C:x' has ':', which a file name cannot have"),
        ("[slug]", [{"slug": "x.html"}], "api/x.html has the ending of a page"),
    ],
    ids=lambda value: ascii(value)[:50] if isinstance(value, list) else "",
)  # fmt: skip
def test_parameters_that_cannot_name_a_file(make_app, tmp_path, route, params, said):
    app = make_app({f"{route}/route.py": static(ECHO, params)})
    before = contents(tmp_path)
    status, output = export(app, tmp_path / "out")
    assert status == 2
    start = f"Error: Nothing is exported: 1 problem.\n\n{route}/route.py\n  /api/"
    assert output.startswith(start)
    assert " cannot be a file: " in output
    assert said in output
    assert output.endswith(f"\n  {LEAVE_OUT}\n")
    assert contents(tmp_path) == before
    assert is_untouched(tmp_path / "out")


FAILING = {
    "a handler that raises": (
        "1 / 0",
        "GET for /api/a failed: ZeroDivisionError: division by zero",
        "Look at {root}/[slug]/route.py, line 9.",
    ),
    "a handler that reads what is a client's": (
        "from flask import request; return request.args",
        "GET for /api/a failed: StaticRequestError: The static GET of [slug]/route.py used "
        "request.args, ",
        "Look at {root}/[slug]/route.py, line 9.",
    ),
    "a stream that fails": (
        "yield 'begun'; 1 / 0",
        "GET for /api/a failed: ZeroDivisionError: division by zero",
        "Look at {root}/[slug]/route.py, line 9.",
    ),
    "a long stream that fails": (
        "yield 'begun' * 1_000_000; 1 / 0",
        "GET for /api/a failed: ZeroDivisionError: division by zero",
        "Look at {root}/[slug]/route.py, line 9.",
    ),
    "nothing": (
        "return",
        "GET for /api/a failed: TypeError: GET in [slug]/route.py returned None",
        "Look at what it returns.",
    ),
    "an error that it returns": (
        "return 'no database', 503",
        "GET for /api/a answers with status 503.",
        "Look at what it returns.",
    ),
    "an error that it raises": (
        "from flask import abort; abort(502)",
        "GET for /api/a answers with status 502.",
        "Look at what it returns.",
    ),
    **{
        f"what has {header}": (
            f"return 'x', 200, {{{header!r}: {value!r}}}",
            f"The response of GET for /api/a is not for everyone: it has {why}.",
            'Answer without it, or write dynamic = "force-dynamic".',
        )
        for header, value, why in (
            ("Set-Cookie", "id=7", "set-cookie"),
            ("Vary", "Cookie", "vary"),
            ("Cache-Control", "private", "private"),
            ("Cache-Control", "max-age=0, No-Store", "no-store"),
        )
    },
    "a redirect with a cookie": (
        "return '', 302, {'Location': '/', 'Set-Cookie': 'id=7'}",
        "The response of GET for /api/a is not for everyone: it has set-cookie.",
        'Answer without it, or write dynamic = "force-dynamic".',
    ),
}


@pytest.mark.parametrize(("body", "reason", "hint"), FAILING.values(), ids=FAILING.keys())
def test_one_response_that_is_refused_stops_all(make_app, tmp_path, body, reason, hint):
    folder = tmp_path / "out"
    good = {"posts/route.py": static("return 'good'")}
    assert export(make_app(good), folder)[0] == 0
    before = contents(folder)
    app = make_app(good | {"[slug]/route.py": static(body, [{"slug": "a"}])})
    status, output = export(app, folder)
    assert status == 2
    start = f"Error: Nothing is exported: 1 problem.\n\n[slug]/route.py\n  {reason}"
    assert output.startswith(start)
    assert output.endswith(f"\n  {hint.format(root=f'{app.root_path}/app/api')}\n")
    assert contents(folder) == before
    assert leftovers(folder) == []


def test_all_problems_are_printed_at_once(make_app, tmp_path):
    app = make_app(
        {
            "a/route.py": static("1 / 0"),
            "b/[slug]/route.py": static(ECHO, [{"slug": "x"}, {"slug": "con"}, {"slug": "aux"}]),
        }
    )
    status, output = export(app, tmp_path / "out")
    assert status == 2
    assert output.startswith("Error: Nothing is exported: 3 problems.\n\na/route.py\n")
    assert output.count("b/[slug]/route.py\n") == 2


def test_a_route_without_a_list_is_refused(make_app, tmp_path):
    app = make_app({"[slug]/route.py": static(ECHO)})
    assert export(app, tmp_path / "out") == (
        2,
        PROBLEM.format(
            file="[slug]/route.py",
            reason="Nothing lists the parameters of its URLs.",
            hint="Define generate_static_params(), which returns a list of dicts.",
        ),
    )
    assert is_untouched(tmp_path / "out")


def test_a_list_that_fails_is_shown_with_its_line(make_app, tmp_path):
    listed = "def generate_static_params():\n    raise OSError('no database')\n"
    app = make_app({"[slug]/route.py": f"{STATIC}{listed}def GET(slug): ...\n"})
    assert export(app, tmp_path / "out") == (
        2,
        PROBLEM.format(
            file="[slug]/route.py",
            reason="generate_static_params failed: OSError: no database",
            hint=f"Look at {app.root_path}/app/api/[slug]/route.py, line 5.",
        ),
    )


@pytest.mark.parametrize(
    "call", ["json.loads('{')", "session.get('user')", "render_template('none.html')"]
)
def test_errors_of_libraries_show_the_line_of_the_app(make_app, tmp_path, call):
    code = "import json\nfrom flask import render_template, session\nrevalidate = 60\n"
    app = make_app({"posts/route.py": f"{code}\ndef GET():\n    return {call}\n"})
    status, output = export(app, tmp_path / "out")
    assert status == 2
    assert "GET for /api/posts failed: " in output
    path = Path(app.root_path) / "app/api/posts/route.py"
    assert output.endswith(f"\n  Look at {path}, line 6.\n")


def test_only_listed_parameters_are_exported(make_app, tmp_path):
    files = {"[slug]/route.py": "dynamic_params = False\n" + static(ECHO, [{"slug": "a"}])}
    app = make_app(files)
    assert app.test_client().get("/api/b").status_code == 404
    assert export(app, tmp_path / "out")[0] == 0
    assert list(contents(tmp_path / "out")) == ["api/a", "manifest.json"]


def test_a_list_is_exported_as_it_is_now(make_app, tmp_path):
    files = {
        "[slug]/route.py": "slugs = ['a']\ndynamic_params = False\nrevalidate = False\n"
        "def generate_static_params():\n    return [{'slug': slug} for slug in slugs]\n"
        "def GET(slug):\n    slugs[:] = ['a', 'b']\n    return {}\n"
    }
    app = make_app(files)
    assert app.test_client().get("/api/a").status_code == 200
    assert app.test_client().get("/api/b").status_code == 404
    assert export(app, tmp_path / "out")[0] == 0
    assert list(contents(tmp_path / "out")) == ["api/a", "api/b", "manifest.json"]


def test_a_route_with_middleware_needs_an_option(make_app, tmp_path):
    app = make_app(
        {
            "admin/middleware.py": "def middleware(call_next):\n    return 'no', 403\n",
            "admin/(x)/secret/route.py": static("return 'secret'"),
            "admin/now/route.py": "def GET(): ...",
            "open/route.py": static("return 'open'"),
        }
    )
    assert export(app, tmp_path / "out") == (
        2,
        PROBLEM.format(
            file="admin/(x)/secret/route.py",
            reason="It has middleware, which a static host does not run.",
            hint="If its responses are for everyone, export it with --without-middleware.",
        ),
    )
    assert is_untouched(tmp_path / "out")
    assert export(app, "--without-middleware", tmp_path / "out")[0] == 0
    assert contents(tmp_path / "out")["api/admin/secret.html"] == b"secret"


# The folder -----------------------------------------------------------------------------------


@pytest.fixture
def small(make_app):
    return make_app({"a/route.py": static("return 'a'"), "b/route.py": static("return 'b'")})


SMALL = ["api/a.html", "api/b.html", "manifest.json"]


def test_an_earlier_export_is_replaced(small, make_app, tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    assert export(small, folder)[0] == 0
    assert list(contents(folder)) == SMALL
    (folder / "api/a.html").write_text("edited")
    (folder / "api/b.html").unlink()
    (folder / "empty/folder").mkdir(parents=True)
    assert export(make_app({"c/route.py": static("return 'c'")}), folder)[0] == 0
    assert list(contents(folder)) == ["api/c.html", "manifest.json"]
    assert sorted(os.listdir(folder)) == ["api", "manifest.json"]


@pytest.mark.parametrize(
    ("files", "foreign"),
    [
        ({"index.html": "my page"}, "index.html"),
        ({"a/b/c": "x", "a/d": "y", "e": "z"}, "a and 1 more"),
        ({"manifest.json": '{"name": "an app for phones"}'}, "manifest.json"),
        ({"manifest.json": '{"generator": "another", "urls": []}'}, "manifest.json"),
        ({"manifest.json": '{"generator": "Flask-RouteHandlers"}'}, "manifest.json"),
        ({"manifest.json": "no JSON"}, "manifest.json"),
        ({"manifest.json": "[]"}, "manifest.json"),
        ({".git/HEAD": "ref"}, ".git"),
    ],
    ids=str,
)
def test_a_folder_with_other_files_is_refused(small, tmp_path, files, foreign):
    folder = write_files(tmp_path / "out", files)
    before = contents(folder)
    assert export(small, folder) == (
        2,
        f"Error: {folder} has files that are not from an export and would be lost: {foreign}. "
        "Give a folder that is new, empty or an earlier export.\n",
    )
    assert contents(folder) == before
    assert leftovers(folder) == []


def test_an_earlier_export_with_files_is_refused(small, tmp_path):
    folder = tmp_path / "out"
    assert export(small, folder)[0] == 0
    (folder / "CNAME").write_text("example.org")
    (folder / "link").symlink_to(tmp_path)
    status, output = export(small, folder)
    assert status == 2
    assert "would be lost: CNAME and 1 more. " in output
    assert (folder / "CNAME").read_text() == "example.org"


def test_files_that_appear_meanwhile_are_not_lost(make_app, tmp_path):
    folder = tmp_path / "out"
    body = f"from pathlib import Path; Path({str(folder)!r}, 'mine').write_text('x'); return 'a'"
    folder.mkdir()
    status, output = export(make_app({"route.py": static(body)}), folder)
    assert status == 2
    assert "would be lost: mine. " in output
    assert contents(folder) == {"mine": b"x"}


def test_a_file_instead_of_a_folder_is_refused(small, tmp_path):
    file = tmp_path / "out"
    file.write_text("mine")
    assert export(small, file) == (2, f"Error: {file} is a file. Give the path of a folder.\n")
    assert file.read_text() == "mine"


@pytest.mark.parametrize(
    "urls", [["api"], [{"url": []}], [{"url": "/a", "file": ["a"]}], [{"url": "/a", "file": 3}]]
)
def test_a_manifest_of_another_tool_is_foreign(small, tmp_path, urls):
    rest = {"file": None, "status": 200, "headers": {}, "sha256": None}
    items = [rest | url if isinstance(url, dict) else url for url in urls]
    manifest = tmp_path / "site/manifest.json"
    manifest.parent.mkdir()
    manifest.write_text(json.dumps({"generator": "Flask-RouteHandlers", "urls": items}))
    status, output = export(small, manifest.parent, "--check")
    assert (status, output.splitlines()[-1]) == (1, "foreign  manifest.json")
    status, output = export(small, manifest.parent)
    assert status == 2
    assert "and would be lost: manifest.json. " in output


def test_check_needs_a_folder_that_can_be_read(small, tmp_path):
    (tmp_path / "site/manifest.json").mkdir(parents=True)
    status, output = export(small, tmp_path / "site", "--check")
    assert status == 2
    assert output.startswith(f"Error: {tmp_path / 'site'} cannot be read: ")


def test_a_handler_that_exits_is_a_problem(make_app, tmp_path):
    app = make_app({"route.py": "import sys\nrevalidate = 60\ndef GET(): sys.exit()\n"})
    status, output = export(app, tmp_path / "site")
    assert status == 2
    assert "GET for /api failed: SystemExit\n" in output
    assert not (tmp_path / "site").exists()


def test_a_link_to_a_folder_stays_a_link(small, tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    assert export(small, tmp_path / "link")[0] == 0
    assert (tmp_path / "link").is_symlink()
    assert list(contents(tmp_path / "real")) == SMALL


def test_a_folder_that_cannot_be_written(small, tmp_path):
    (tmp_path / "file").write_text("")
    status, output = export(small, tmp_path / "file/out")
    assert status == 2
    assert output == (
        f"Error: {tmp_path}/file/out cannot be written: [Errno 17] File exists: "
        f"'{tmp_path}/file'. It is replaced as a whole: give a folder that is not a "
        "mount point, in a folder that is writable.\n"
    )


@pytest.mark.parametrize("place", ["app/api", "app/api/site", "app/api/_site/x", "link"])
def test_a_folder_inside_of_the_root_is_refused(small, monkeypatch, place):
    project = Path(small.root_path)
    (project / "link").symlink_to("app/api/site")
    monkeypatch.chdir(project)
    before = contents(project)
    assert export(small, place) == (
        2,
        f"Error: {place.replace('link', 'app/api/site')} is inside of the root app/api, where "
        "exported files could be imported. Give a folder outside of it.\n",
    )
    assert contents(project) == before


def test_folders_of_others_are_left_alone(small, tmp_path):
    folder = tmp_path / "out"
    others = {".out.old/backup": "1", ".out.new/x": "2", ".out.lock": "3", ".out.0123/new/a": "4"}
    write_files(tmp_path, others)
    before = {name: contents(tmp_path)[name] for name in others}
    assert export(small, folder)[0] == 0
    write_files(folder, {"mine": "5"})
    assert export(small, folder)[0] == 2
    assert {name: contents(tmp_path)[name] for name in others} == before


def test_the_root_of_the_file_system_is_refused(small):
    status, output = export(small, "/")
    assert status == 2
    assert output.startswith("Error: / cannot be written: it is the root of the file system. ")


# Compared --------------------------------------------------------------------------------------


def test_check_compares_and_writes_nothing(make_app, tmp_path):
    folder = tmp_path / "out"
    files = {
        "same/route.py": static("return 'same'"),
        "edited/route.py": static("return 'edited'"),
        "deleted/route.py": static("return 'deleted'"),
        "changed/route.py": static("return 'before'"),
        "header/route.py": static("return 'h', {'X-A': '1'}"),
        "moved/route.py": static("return '', 308, {'Location': '/a'}"),
        "gone/route.py": static("return 'gone'"),
    }
    app = make_app(files)
    assert export(app, "--check", folder)[0] == 1
    assert is_untouched(folder)
    assert export(app, folder)[0] == 0
    assert export(app, folder, "--check") == (0, "")
    (folder / "api/edited.html").write_text("by hand")
    (folder / "api/deleted.html").unlink()
    (folder / "mine").write_text("mine")
    del files["gone/route.py"]
    files |= {
        "changed/route.py": static("return 'after'"),
        "header/route.py": static("return 'h', {'X-A': '2'}"),
        "moved/route.py": static("return '', 308, {'Location': '/b'}"),
        "new/route.py": static("return 'new'"),
    }
    before = contents(folder)
    assert export(make_app(files), "--check", folder) == (
        1,
        "changed  /api/changed (api/changed.html)\n"
        "changed  /api/deleted (api/deleted.html)\n"
        "changed  /api/edited (api/edited.html)\n"
        "changed  /api/header (api/header.html)\n"
        "changed  /api/moved\n"
        "new      /api/new (api/new.html)\n"
        "gone     /api/gone\n"
        "foreign  mine\n",
    )
    assert contents(folder) == before
    assert leftovers(folder) == []


def test_check_refuses_what_an_export_refuses(make_app, tmp_path):
    app = make_app({"route.py": static("1 / 0")})
    status, output = export(app, "--check", tmp_path / "out")
    assert status == 2
    assert output.startswith("Error: Nothing is exported: 1 problem.\n\nroute.py\n")


# As its users run it ---------------------------------------------------------------------------

COMMAND = [sys.executable, "-m", "flask", "route-handlers", "export"]

#: Sixty files with one text in all of them, which is that of the file "version" when they begin.
VERSIONED = f"""
from pathlib import Path

{STATIC}
version = Path("version").read_text()


def generate_static_params():
    return [{{"n": str(n)}} for n in range(60)]


def GET(n):
    return {{"version": version}}
"""


def start(folder: Path, *arguments: str, **options) -> subprocess.Popen:
    return subprocess.Popen([*COMMAND, *arguments], cwd=folder, env=child_environment(), **options)


@pytest.mark.ci
def test_two_exports_at_once_do_not_mix(tmp_path):
    waiting = VERSIONED.replace(
        "def GET(n):\n",
        "def GET(n):\n    Path(f'begun{version}').touch()\n"
        "    while not Path(f'go{version}').exists(): pass\n",
    )
    write_files(tmp_path, {"wsgi.py": WSGI, "app/api/[n]/route.py": waiting, "version": "1"})
    with start(tmp_path, "out") as first:
        assert until((tmp_path / "begun1").exists, 60)
        (tmp_path / "version").write_text("2")
        with start(tmp_path, "out") as second:
            assert until((tmp_path / "begun2").exists, 60)
            (tmp_path / "go2").touch()
            assert second.wait(60) == 0
        assert versions(tmp_path / "out") == {"2"}
        (tmp_path / "go1").touch()
        assert first.wait(60) == 0
    assert versions(tmp_path / "out") == {"1"}
    assert leftovers(tmp_path / "out") == []


def versions(folder: Path) -> set[str]:
    """The versions in the files of an export, which has all that its manifest lists."""
    files = contents(folder)
    items = json.loads(files.pop("manifest.json"))["urls"]
    assert {item["file"]: item["sha256"] for item in items} == {
        name: sha256(body).hexdigest() for name, body in files.items()
    }
    assert len(files) == 60
    return {json.loads(body)["version"] for body in files.values()}


@pytest.mark.parametrize(
    "kills",
    [pytest.param(10, marks=pytest.mark.ci), pytest.param(100, marks=pytest.mark.soak)],
    ids=["", "full size"],
)
def test_a_killed_export_leaves_a_whole_one(tmp_path, kills):
    rng = Random(7)
    folder = tmp_path / "out"
    write_files(tmp_path, {"wsgi.py": WSGI, "app/api/[n]/route.py": VERSIONED})

    def render(version: int, seconds: float = 60) -> tuple[float, int]:
        """Export, and kill it so many seconds after it has begun to write. How long it took, and
        how it ended."""
        (tmp_path / "version").write_text(str(version))
        earlier = leftovers(folder)
        with start(tmp_path, "out", stdout=subprocess.DEVNULL) as process:
            while leftovers(folder) == earlier and process.poll() is None:
                time.sleep(0.001)
            begun = time.monotonic()
            with suppress(subprocess.TimeoutExpired):
                process.wait(seconds)
            process.kill()
        return time.monotonic() - begun, process.returncode

    assert [render(0)[1], render(0)[1]] == [0, 0]
    seconds, _ = render(0)
    counts = {"old": 0, "new": 0, "killed": 0, "left behind": 0}
    for version in range(1, kills + 1):
        before = versions(folder)
        known = leftovers(folder)
        counts["killed"] += render(version, rng.uniform(0, seconds))[1] == -signal.SIGKILL
        now = versions(folder)
        assert now in (before, {str(version)})
        counts["old" if now == before else "new"] += 1
        counts["left behind"] += leftovers(folder) != known
    print(counts)
    assert counts["killed"] >= kills // 2
    assert counts["old"] > 0
    assert counts["left behind"] > 0
    for work in tmp_path.glob(".out.*.flask-routehandlers-export"):
        os.utime(work, (0, 0))
    assert render(kills)[1] == 0
    assert versions(folder) == {str(kills)}
    assert leftovers(folder) == []


def test_progress_is_shown_at_a_terminal(make_app, tmp_path, monkeypatch):
    app = make_app({"route.py": static("return 'a'")})
    outcome = (0, "Exported 1 URL to out, 1 of them as files.\n", "")
    monkeypatch.chdir(tmp_path)
    assert invoke(app, "export", "out") == outcome
    errors = errors_at_terminal(app, "export", "out")
    assert "Rendering" in errors
    assert "100%" in errors
