"""Messages about the app and its settings."""

from __future__ import annotations

from tests.catalogue.model import Example, Section, route, wsgi

APP = Section(
    "## The app",
    (
        Example(named=("users/[id=slug]/route.py",)),
        Example(
            note="A converter works without arguments, and matches one segment that is not empty:",
            files=wsgi(
                "app.url_map.converters.update(choice=Choice, words=Words)",
                imports="from werkzeug.routing import BaseConverter\n\n\n"
                "class Choice(BaseConverter):\n    def __init__(self, url_map, *choices):\n"
                "        super().__init__(url_map)\n"
                '        self.regex = "|".join(choices)\n\n\n'
                "class Words(BaseConverter):\n    def __init__(self, url_map, words):\n"
                "        super().__init__(url_map)\n\n",
            ),
            named=(
                "coins/[id=choice]/route.py",
                "files/[id=path]/route.py",
                "texts/[id=words]/route.py",
            ),
        ),
        Example(
            files=wsgi(
                "\n",
                '@app.route("/api/users/<name>")',
                'def user(name):\n    return {"name": name}\n\n',
            ),
            named=("users/[id]/route.py",),
        ),
        Example(
            note="The second file would never answer:",
            files=wsgi(
                'app.url_map.converters["number"] = Number',
                imports="from werkzeug.routing import IntegerConverter\n\n\n"
                "class Number(IntegerConverter):\n    def to_python(self, value):\n"
                "        return -super().to_python(value)\n\n",
            ),
            named=("users/[id=int]/route.py", "users/[n=number]/route.py"),
        ),
        Example(
            note="`check` asks the app for one URL of each route:",
            files=wsgi(
                "app.url_map.converters['first'] = type('First', (UnicodeConverter,), "
                "{'weight': 1})",
                "app.add_url_rule('/api/x/<first:n>', 'early', print)",
                imports="from werkzeug.routing import UnicodeConverter\n",
            )
            | route("x/[id=int]"),
        ),
        Example(
            files=wsgi()
            | {
                "wsgi.py": wsgi()["wsgi.py"]
                + "app.add_url_rule('/api/x/<int:n>', 'late', print)\n"
            }
            | route("x/[n=int]"),
        ),
        Example(
            note="Two roots whose last folders have the same name:",
            files=wsgi('RouteHandlers(app, root="app/api")', arguments='app, root="shops/api"')
            | route("users")
            | {"shops/api/orders/route.py": "def GET(): ...\n"},
        ),
        Example(
            wsgi(app='Flask(__name__, host_matching=True, static_host="example.com")')
            | route("users")
        ),
        Example(wsgi(arguments='app, subdomain="api"') | route("users")),
    ),
)

PREFIXES = Section(
    "## The prefix",
    (
        Example(wsgi(arguments='app, url_prefix="/<path:rest>/api"') | route("users")),
        Example(wsgi(arguments='app, url_prefix="/<lang>/<lang>"') | route("users")),
        Example(wsgi(arguments='app, url_prefix="/<request>/api"') | route("users")),
        Example(
            wsgi(arguments='app, url_prefix="/caf\N{REPLACEMENT CHARACTER}"') | route("users")
        ),
        Example(wsgi(arguments='app, url_prefix="/<id>"'), named=("users/[id]/route.py",)),
    ),
)

SETTINGS = Section(
    "## Settings",
    (
        Example(
            wsgi(
                'app.config["ROUTE_HANDLERS_CACHE_URL"] = 6379',
                'app.config["ROUTE_HANDLERS_CACHE_VERSION"] = 7',
                'app.config["ROUTE_HANDLERS_CACHE_MAX_ENTRIES"] = 0',
                'app.config["ROUTE_HANDLERS_CACHE_MAX_WAIT"] = "2"',
                'app.config["ROUTE_HANDLERS_CACHE_MAXBODY"] = 1000',
            )
            | route("posts")
        ),
        Example(
            wsgi('app.config["ROUTE_HANDLERS_CACHE_URL"] = "localhost:6379"') | route("posts")
        ),
        Example(
            wsgi(
                'app.config["SECRET_KEY"] = "not for production"',
                'app.config["ROUTE_HANDLERS_CACHE_URL"] = "redis://localhost:6379/0"',
            )
            | route("posts"),
            given="no redis",
        ),
        Example(
            wsgi(
                'app.config["SECRET_KEY"] = "not for production"',
                'app.config["ROUTE_HANDLERS_CACHE_URL"] = "redis://localhost:6379/0?size=1"',
            )
            | route("posts"),
        ),
        Example(
            {
                "wsgi.py": "from flask import Flask\n"
                "from flask_routehandlers import RouteHandlers\n\n\n"
                "def create_app(shop):\n    app = Flask(__name__)\n"
                '    app.config["SHOP"] = shop\n'
                '    app.config["SECRET_KEY"] = "not for production"\n'
                '    app.config["ROUTE_HANDLERS_CACHE_URL"] = "redis://localhost:6379/0"\n'
                "    RouteHandlers(app)\n    return app\n\n\n"
                'first = create_app("books")\napp = create_app("tea")\n'
            }
            | route("posts", "revalidate = 60\n\n\ndef GET(): ...\n"),
        ),
    ),
    "Every setting that is in `app.config` when `RouteHandlers` is called is checked. The URL of "
    "a store is never printed: it may contain a password. A value from the environment "
    "(`FLASK_ROUTE_HANDLERS_CACHE_MAX_WAIT=2`, read by `app.config.from_prefixed_env()`) is "
    "parsed as JSON, so that `2` is a number.",
)

CALLS = Section(
    "## Arguments of RouteHandlers",
    (
        Example(
            route("users"),
            asks=(
                'RouteHandlers("app/api")',
                'RouteHandlers(name="v1.0")',
                'RouteHandlers(url_prefix="api/")',
                'RouteHandlers(url_prefix="/")',
                'RouteHandlers(app, root="app/[tenant]/api")',
                'Scheme("Bearer", header="X-Key")',
            ),
        ),
    ),
)

SECTIONS = (APP, PREFIXES, SETTINGS, CALLS)
