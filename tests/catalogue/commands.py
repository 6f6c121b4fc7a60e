"""Messages of the commands that their own pages do not show."""

from __future__ import annotations

from tests.catalogue.model import Example, Section, dependencies, middleware, route, wsgi

NO_TREE = {"wsgi.py": "from flask import Flask\n\napp = Flask(__name__)\n"}

#: The settings of an app whose responses are in Redis.
STORE = (
    'app.config["SECRET_KEY"] = "not for production"',
    'app.config["ROUTE_HANDLERS_CACHE_URL"] = "redis://localhost:6379/0"',
)

POSTS = route(
    "posts",
    'revalidate = False\ncache_tags = ["posts"]\n\n\ndef GET():\n    return {"posts": []}\n',
)


def static(folder: str, answer: str, imports: str = "", arguments: str = "") -> dict[str, str]:
    """Return a static route file with what its ``GET`` returns."""
    code = f"revalidate = 60\n\n\ndef GET({arguments}):\n    return {answer}\n"
    return route(folder, f"{imports}\n\n{code}" if imports else code)


LOADING = Section(
    "## Commands",
    (
        Example(NO_TREE, commands=("flask route-handlers match GET /api/users",)),
        Example(
            {"wsgi.py": "1 / 0\n"},
            commands=("flask route-handlers match GET /api/users",),
        ),
        Example(
            {"wsgi.py": 'import sys\n\nsys.exit("SECRET_KEY is not set.")\n'},
            commands=("flask route-handlers match GET /api/users",),
        ),
        Example(
            route("users"),
            commands=(
                "flask route-handlers match GET PUT /api/users",
                "flask route-handlers new openapi.json GET --openapi",
            ),
        ),
        Example(
            wsgi("app.debug = True") | route("users", "import sqlalchmy\n"),
            commands=(
                "flask route-handlers match GET /api/users",
                "flask route-handlers list",
            ),
        ),
        Example(
            dependencies("", "def user(): return 1\n") | route("users", "def GET(user): ...\n"),
            commands=(
                "flask route-handlers list --with usr",
                "flask route-handlers list --except 'POST /users'",
            ),
        ),
    ),
    "A command loads the app. [Commands](commands.md) shows the messages of `check`, `new` and "
    "`match` too.",
)

PASSED_OVER = Section(
    "### A file that is passed over",
    (
        Example(
            note="Other rules of the app can come before a file, if they match some of its URLs "
            "or redirect:",
            files=wsgi(
                "\n",
                '@app.route("/api/users/me")',
                'def me():\n    return {"me": True}\n\n',
                '@app.route("/api/users/all/")',
                "def everyone():\n    return []\n\n",
            )
            | route("users/[id]", 'def GET(id):\n    return {"user": id}\n'),
            commands=(
                "flask route-handlers match GET /api/users/me",
                "flask route-handlers match GET /api/users/all",
            ),
        ),
        Example(
            note="A converter that raises `ValidationError` ends the match: Werkzeug does not "
            "try another rule. Exclude in its `regex` what another folder should get:",
            files=wsgi(
                'app.url_map.converters["year"] = Year',
                imports="from werkzeug.routing import IntegerConverter, ValidationError\n\n\n"
                "class Year(IntegerConverter):\n    def to_python(self, value):\n"
                "        if len(value) != 4:\n            raise ValidationError\n"
                "        return super().to_python(value)\n\n",
            )
            | route("reports/[year=year]", 'def GET(year):\n    return {"year": year}\n')
            | route("reports/[name]", 'def GET(name):\n    return {"report": name}\n'),
            commands=("flask route-handlers match GET /api/reports/7",),
        ),
    ),
)

STORED = Section(
    "### revalidate and warm",
    (
        Example(POSTS, commands=("flask route-handlers warm",)),
        Example(
            {
                "wsgi.py": wsgi(STORE[0])["wsgi.py"] + f"{STORE[1]}\n",
            }
            | POSTS,
            commands=("flask route-handlers warm",),
        ),
        Example(
            wsgi(*STORE) | POSTS,
            commands=(
                "flask route-handlers revalidate",
                "flask route-handlers revalidate /api/posts --tag posts",
                "flask route-handlers revalidate /api/post",
            ),
        ),
        Example(
            note="`warm` names what it does not store, and why. [What is stored]"
            "(static.md#what-is-stored) explains words such as `vary`. The exit status is 1 if a "
            "handler fails:",
            files=wsgi(*STORE)
            | POSTS
            | static("posts/[id=int]", '{"id": id}', arguments="id")
            | static(
                "hello",
                'Response("hello", headers={"Vary": "Accept-Language"})',
                "from flask import Response",
            )
            | static("about", '{"about": "posts"}')
            | route(
                "import",
                "from flask_routehandlers import revalidate_path\n\nrevalidate = 60\n\n\n"
                'def GET():\n    revalidate_path("/api/about")\n'
                '    revalidate_path("/api/import")\n    return {"imported": True}\n',
            )
            | static("prices", '{"price": 1 / 0}'),
            commands=("flask route-handlers warm --threads 1",),
        ),
        Example(
            note="Nothing listens at the port of this store:",
            files=wsgi(STORE[0], STORE[1].replace("6379", "6399")) | POSTS,
            commands=(
                "flask route-handlers warm",
                "flask route-handlers revalidate /api/posts",
            ),
        ),
    ),
)

NAMES = [".htaccess", "A", "_redirects", "a", "aux", "dot.", "what?", "x.php"]

EXPORTED = Section(
    "### export",
    (
        Example(
            static("posts/[id=int]", '{"id": id}', arguments="id")
            | static("members", '{"members": 3}')
            | middleware("members", "def middleware(call_next):\n    return call_next()\n"),
            commands=("flask route-handlers export site",),
        ),
        Example(
            note="Each response has to be for everyone:",
            files=static("prices", '{"price": 1 / 0}')
            | static("stock", '({"error": "no connection"}, 503)')
            | static(
                "hello",
                'Response("hello", headers={"Vary": "Accept-Language"})',
                "from flask import Response",
            ),
            commands=("flask route-handlers export site",),
        ),
        Example(
            note="A URL becomes the name of a file:",
            files=static("notes.html", '{"notes": []}')
            | route(
                "files/[name]",
                "revalidate = 60\n\n\ndef generate_static_params():\n"
                f"    names = {NAMES}\n"
                '    return [{"name": name} for name in [*names, "x" * 300]]\n\n\n'
                'def GET(name):\n    return {"name": name}\n',
            )
            | static("", '{"api": True}')
            | static("index.json", '{"index": True}'),
            commands=("flask route-handlers export site",),
        ),
        Example(
            wsgi(arguments='app, root="app"')
            | {
                "app/manifest.json/route.py": "revalidate = 60\n\n\n"
                'def GET():\n    return {"name": "Shop"}\n'
            },
            commands=("flask --app wsgi route-handlers export site",),
        ),
        Example(
            note="The folder is replaced as a whole, so it has to be new, empty or an earlier "
            "export, and outside of the tree:",
            files=static("posts", '{"posts": []}'),
            commands=(
                "flask route-handlers export site",
                "touch site/own.css site/own.js",
                "flask route-handlers export site",
                "flask route-handlers export wsgi.py",
                "flask route-handlers export app/api/site",
                "flask route-handlers export /",
                "mkdir -p broken/manifest.json",
                "flask route-handlers export broken --check",
            ),
        ),
    ),
    "What a static host cannot serve is refused, all of it at once, and the folder does not "
    "change.",
)

DOCUMENT = "from flask_routehandlers.openapi import document\n\nGET = document\n"

DESCRIBED = Section(
    "### openapi",
    (
        Example(
            POSTS,
            commands=("flask route-handlers openapi --check api.json -o api.json",),
        ),
        Example(
            wsgi('RouteHandlers(app, root="app/admin")')
            | {"app/admin/users/route.py": "def GET(): ...\n"}
            | POSTS,
            commands=("flask route-handlers openapi",),
        ),
        Example(
            route("v1/openapi.json", DOCUMENT) | route("v2/openapi.json", DOCUMENT) | POSTS,
            commands=(
                "flask route-handlers openapi",
                "flask route-handlers openapi /api/openapi.json",
                "flask route-handlers openapi /api/v1/openapi.json --check api.json",
                "flask route-handlers openapi /api/v1/openapi.json --check wsgi.py",
                "flask route-handlers openapi /api/v1/openapi.json --check site/manifest.json",
            ),
            prepare=("flask route-handlers export site",),
        ),
    ),
)

LISTED = Section(
    "### list",
    (
        Example(
            route("users"),
            commands=(
                "flask route-handlers list --without user",
                'flask route-handlers list --unsafe --except "POST /x"',
            ),
        ),
        Example(
            wsgi("app.debug = True") | route("users", "import sqlalchmy\n"),
            commands=("flask route-handlers list",),
        ),
    ),
)

SECTIONS = (LOADING, LISTED, PASSED_OVER, STORED, EXPORTED, DESCRIBED)
