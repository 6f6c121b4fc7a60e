"""Messages about what a file of a tree defines."""

from __future__ import annotations

from tests.catalogue.model import Example, Section, dependencies, middleware, route, wsgi

GUARD = "from flask import abort\n\n\ndef middleware(request, call_next):\n    abort(403)\n"

HANDLERS = Section(
    "## Handler names",
    (
        Example(files=route("users", "def load(): ...\n")),
        Example(files=route("users", "def get(): ...\n")),
        Example(files=route("users", "def GET(): ...\n\n\ndef PACTH(): ...\n")),
        Example(files=route("users", "def GET(): ...\n\n\ndef TRACE(): ...\n")),
        Example(files=route("users", "def default(): ...\n")),
        Example(
            note="A guard in a route file, or in the `__init__.py` of a folder, would never run:",
            files=route("users", f"{GUARD}\n\ndef GET(): ...\n")
            | route("posts")
            | {"app/api/posts/__init__.py": GUARD},
        ),
        Example(files=route("users", "GET = 42\n\n\nclass POST: ...\n")),
        Example(
            note="`check` reports this too:",
            files=route("users", "def GET(): return []\n\n\ndef SOCKET(): ...\n"),
        ),
    ),
    "This concerns functions that the file itself defines: `from httpx import get` is fine.",
)

#: What the examples of contracts import and define.
IMPORTS = """\
from dataclasses import dataclass
from typing import *
import msgspec
from pydantic import AliasChoices, BaseModel, Field, Json
from flask_routehandlers import Query, Header, Form, Body, Bearer, Scheme
from werkzeug.datastructures import FileStorage

@dataclass
class Item:
    id: int

@dataclass
class Nested:
    item: Item

class Own:
    pass

class Struct(msgspec.Struct):
    a: int

class Unclear(msgspec.Struct):
    a: set[str] | list[str]

class Model(BaseModel):
    a: int

class Function(BaseModel):
    f: Callable[[], int]

"""


def contract(code: str, note: str = "", folder: str = "x") -> Example:
    """Return an example that is one route file with inputs or outputs."""
    return Example(route(folder, f"{code}\n"), note=note, imports=IMPORTS)


ARGUMENTS = Section(
    "## Arguments",
    (
        Example(files=route("users/[user_id]", "def GET(id): ...\n")),
        Example(files=route("users", "def GET(reqest): ...\n")),
        Example(files=route("users/[id]", "def GET(id, /): ...\n")),
        Example(files=route("users/[id]", "def GET(id: int): ...\n\n\ndef PUT(id: dict): ...\n")),
        Example(
            files=wsgi(arguments='app, url_prefix="/<shop>"')
            | route("orders", "def GET(shop: int): ...\n")
        ),
        Example(
            note="A decorator without `functools.wraps` hides what the handler asks for. The "
            "app starts, with a warning:",
            files=route(
                "users/[id]",
                "def hide(function):\n    def w(*args, **kwargs):\n"
                "        return function(*args, **kwargs)\n\n    return w\n\n\n"
                "@hide\ndef GET(request, id): ...\n",
            ),
        ),
        contract(
            "import functools\n\n\ndef hide(function):\n"
            "    return functools.wraps(function)(lambda *a, **k: function(*a, **k))\n\n\n"
            "@hide\ndef GET(x: Query[str]): return 'x'",
            "`check` warns of a decorator that runs after the inputs have been read:",
        ),
        Example(
            note="`check` warns of a default that no client can change:",
            files=route("users", "def GET(limit: int = 20): return []\n"),
        ),
        Example(
            note='With `ROUTE_HANDLERS_ASYNC = "flask"`, async code needs asgiref:',
            files=wsgi('app.config["ROUTE_HANDLERS_ASYNC"] = "flask"')
            | route("users", "async def GET(): ...\n"),
            given="no asgiref",
        ),
    ),
)

INPUTS = Section(
    "## Inputs",
    (
        contract("def GET(x: Query): return 'x'"),
        contract("def GET(x: list[Query[int]] = ()): return 'x'"),
        contract("def GET(x: Query[Header[int]]): return 'x'"),
        contract("def GET(x: Bearer | None): return 'x'"),
        contract("def GET(a: Annotated[int, Scheme('Bearer')]): return 'x'"),
        contract("def GET(authorization: Header[str]): return 'x'"),
        contract("def POST(a: Body[int], b: Body[int]): return 'x'"),
        contract("def POST(a: Body[int], b: Form[int]): return 'x'"),
        contract("def GET(a: Body[int]): return 'x'"),
        contract("def GET(a: Query[FileStorage]): return 'x'"),
        contract("def GET(request: Query[str]): return 'x'"),
        contract("def GET(id: Query[str]): return 'x'", folder="[id]"),
        contract("def GET(a: Query[Item | int]): return 'x'", "`Item` is a dataclass:"),
        contract("def GET(a: Query[dict[str, str]]): return 'x'"),
        contract("def GET(a: Query[list[Item]]): return 'x'"),
        contract("def GET(a: Query[Nested]): return 'x'", "`Nested` has a field `item: Item`:"),
        contract("def GET(a: Query[Own]): return 'x'", "`Own` is an ordinary class:"),
        contract(
            "def POST(a: Body[Unclear]): return 'x'",
            "`Unclear` is a Struct of msgspec with a field `a: set[str] | list[str]`:",
        ),
        contract(
            "def GET(a: Query[Function]): return 'x'",
            "`Function` is a model with a field `f: Callable[[], int]`:",
        ),
        contract(
            "def POST(a: Body[Struct | Model]): return 'x'",
            "`Struct` is of msgspec, `Model` of pydantic:",
        ),
        contract(
            "def GET(a: Query[Annotated[int, "
            "Field(validation_alias=AliasChoices('b'))]]): return 'x'"
        ),
        contract(
            "if TYPE_CHECKING:\n    from uuid import UUID as ID\n"
            "def GET(x: 'Query[ID]'): return 'x'"
        ),
        contract("revalidate = 60\ndef GET(a: Query[str] = ''): return 'x'"),
        Example(
            dependencies("x", "def agent(request): return request.user_agent.string\n")
            | route("x", "revalidate = 60\n\n\ndef GET(agent): return agent\n")
        ),
        Example(
            route(
                "x",
                "from flask_routehandlers import Query\n\n\ndef GET(x: Query[int]): return 'x'\n",
            ),
            given="no pydantic",
        ),
    ),
    "[Inputs and outputs](inputs.md) has the markers.",
)

OUTPUTS = Section(
    "## Outputs",
    (
        contract("def GET() -> Item | KeyError: return 'x'"),
        contract("def GET() -> Item | None: return 'x'"),
        contract("def GET() -> tuple[Item, Literal['a']]: return 'x'"),
        contract("def GET() -> tuple[Item, ...]: return 'x'"),
        contract("def GET() -> Iterator[Item]: yield 'x'"),
        contract(
            "if TYPE_CHECKING:\n    from uuid import UUID as ID\ndef GET() -> 'ID': return 'x'",
            "`check` warns of an annotation that is for type checkers alone:",
        ),
    ),
)

DEPENDENCIES = Section(
    "## Dependencies",
    (
        Example(dependencies("", "x = 1\n") | route("x")),
        Example(
            dependencies("", "def db(): return 1\n") | route("x", "def GET(db=None): return 'x'")
        ),
        Example(
            dependencies("", "def current_user(): return 1\n")
            | route("x", "def GET(curent_user=None): return 'x'")
        ),
        Example(
            dependencies("", "def db() -> int: return 1\n")
            | route("x", "def GET(db: Query[int]): return 'x'"),
            imports=IMPORTS,
        ),
        Example(
            dependencies("", "def db() -> int: return 1\n")
            | route("x", "def GET(db: str): return 'x'")
        ),
        Example(
            dependencies("", "from threading import active_count\ndef db(): return 1\n")
            | route("x", "def GET(active_count): return 'x'")
        ),
        Example(dependencies("", "def db(): return 1\n__all__ = ['db', 'nix']\n") | route("x")),
        Example(dependencies("", "def db(): return 1\n__all__ = 'db'\n") | route("x")),
        Example(dependencies("", "class Db: pass\n__all__ = ['Db']\n") | route("x")),
        Example(
            dependencies(
                "",
                "from contextlib import contextmanager\n@contextmanager\ndef db():\n    yield 1\n",
            )
            | route("x")
        ),
        Example(dependencies("", "def a(b): return 1\ndef b(a): return 1\n") | route("x")),
        Example(dependencies("", "def user(user): return 1\n") | route("x")),
        Example(dependencies("x", "def user(user): return 1\n") | route("x")),
        Example(dependencies("", "def request(): return 1\n") | route("x")),
        Example(dependencies("", "def user(): return 1\n") | route("[user]")),
        Example(
            wsgi(arguments='app, url_prefix="/<lang>/api"')
            | dependencies("", "def lang(): return 1\n")
            | route("x")
        ),
        Example(
            dependencies(
                "",
                "from decimal import Decimal\ndef price() -> Decimal: return Decimal()\n",
            )
            | route(
                "x",
                "from decimal import Decimal\ndef GET(amount: Decimal = Decimal()): return 'x'\n",
            )
        ),
        Example(
            dependencies(
                "",
                "from contextlib import asynccontextmanager\n@asynccontextmanager\n"
                "async def db():\n    yield 1\n",
            )
            | route("x")
        ),
        Example(dependencies("", "def role(wanted): return 1\n") | route("x")),
        Example(
            note="`check` warns of dependencies that nothing asks for, and of a 404 that comes "
            "before a guard:",
            files=dependencies("", "def cart(): return []\n") | route("x"),
        ),
        Example(
            dependencies(
                "posts/[slug]",
                "from werkzeug.exceptions import NotFound, Unauthorized\n\n\n"
                'def user() -> str | Unauthorized: return "Ada"\n\n\n'
                "def post(slug) -> str | NotFound: return slug\n",
            )
            | route("posts/[slug]", "def PUT(post, user): return post\n")
        ),
        Example(
            note="Browsers send [CORS](middleware.md#cors) preflights without credentials:",
            files=middleware(
                "",
                "from flask_routehandlers import Bearer\n\n\n"
                "def require_token(token: Bearer, call_next): return call_next()\n\n\n"
                "def allow_origins(call_next):\n"
                "    response = call_next()\n"
                '    response.access_control_allow_origin = "https://shop.example"\n'
                "    return response\n\n\n"
                "middleware = [require_token, allow_origins]\n",
            )
            | route("x"),
        ),
    ),
    "A `dependencies.py` is checked whether something asks for its functions or not.",
)

MIDDLEWARE = Section(
    "## Middleware",
    (
        Example(
            middleware("", "def midleware(call_next): ...\n")
            | middleware("shops", "middleware = 42\n")
            | middleware("shops/[shop]", "class middleware: ...\n")
            | middleware("shops/[shop]/orders", "middleware = []\n")
            | middleware(
                "shops/[shop]/orders/[order]",
                'async def parts():\n    yield "part"\n\n\nmiddleware = [parts]\n',
            )
            | route("shops/[shop]/orders/[order]")
        ),
        Example(
            middleware("shops", "def middleware(shop, call_next): ...\n")
            | route("shops/[shop]", "def GET(shop): ...\n")
        ),
    ),
)

CONFIG = Section(
    "## Route config",
    (
        Example(
            route(
                "posts",
                'dynamic = "force_static"\nrevalidate = "1 hour"\ndynamic_params = "no"\n'
                'cache_tags = "posts"\n\n\ndef GET(): ...\n',
            )
            | route(
                "posts/[id]",
                'revalidate = 60\ngenerate_static_params = [{"id": 1}]\ncache_tags = [1]\n\n\n'
                "def GET(id): ...\n",
            )
            | route(
                "posts/[id]/comments",
                "revalidate = 60\n\n\nclass cache_tags: ...\n\n\n"
                "def generate_static_params(id): ...\n\n\ndef GET(id): ...\n",
            )
        ),
        Example(
            note="Names that contradict each other, or that mean nothing without another one:",
            files=route("posts", 'dynamic = "force-static"\nrevalidate = 0\n\n\ndef GET(): ...\n')
            | route(
                "posts/[id]",
                'dynamic = "force-dynamic"\nrevalidate = 60\n\n\ndef GET(id): ...\n',
            )
            | route("tags", 'cache_tags = ["tags"]\n\n\ndef GET(): ...\n')
            | route("feed", "revalidate = 60\n\n\ndef POST(): ...\n")
            | route(
                "pages",
                "revalidate = False\n\n\ndef generate_static_params():\n"
                '    return [{"page": 1}]\n\n\ndef GET(): ...\n',
            )
            | route(
                "pages/[page]",
                "revalidate = False\ndynamic_params = False\n\n\ndef GET(page): ...\n",
            ),
        ),
        contract("dynamic = 'other'\ndef GET(): return 'x'"),
        contract("revalidate = 60\ndef cache_tags(a): return ['x']\ndef GET(): return 'x'"),
        contract(
            "revalidate = 60\ndef cache_tags(a: Query[str]): return ['x']\ndef GET(): return 'x'"
        ),
        Example(
            wsgi(
                'app.config["SERVER_NAME"] = "example.com"',
                app="Flask(__name__, subdomain_matching=True)",
                arguments='app, subdomain="api"',
            )
            | route("users", "revalidate = 60\n\n\ndef GET(): ...\n")
        ),
        Example(
            note="Names without effect. The app starts, with a warning for each:",
            files=route("posts", "dynamicParams = True\ndef GET(): return 'x'\n")
            | route("tags", "maxDuration = 5\ndef GET(): return 'x'\n")
            | route("users", "revalidat = 60\ndef GET(): return 'x'\n")
            | route("notes", "revalidate: int\ndef GET(): return 'x'\n"),
        ),
    ),
    "[Static handlers](static.md#route-config) has the values of each name.",
)

IMPORTED = Section(
    "## Imports",
    (
        Example(route("users", "import sqlalchmy\n\n\ndef GET(): ...\n")),
        Example(
            {"app/prices.py": 'PRICES = {"pen": 2 / 0}\n'}
            | route("prices", "from ...prices import PRICES\n\n\ndef GET():\n    return PRICES\n")
        ),
        Example(route("users", "raise SystemExit(3)\n\n\ndef GET(): ...\n")),
        Example(
            note="`python wsgi.py` runs the file as the module `__main__`. A file that imports "
            "`wsgi` would run it again, with a second app and a second database object:",
            files={
                "wsgi.py": "from flask import Flask\n"
                "from flask_routehandlers import RouteHandlers\n\n"
                "db = {}\napp = Flask(__name__)\nRouteHandlers(app)\n\n"
                'if __name__ == "__main__":\n    app.run()\n'
            }
            | route("users", "from wsgi import db\n\n\ndef GET():\n    return db\n"),
            commands=("python wsgi.py",),
        ),
        Example(
            note="In debug mode the app starts without such a file, whose URLs answer with the "
            "error:",
            files=wsgi("app.debug = True")
            | route("users", "import sqlalchmy\n")
            | route("health", 'def GET():\n    return {"status": "ok"}\n'),
            asks=('client.get("/api/health").json', 'client.get("/api/users")'),
        ),
    ),
    "Everything that a file raises while it is imported is reported, even `SystemExit`. The "
    "exception itself, with its traceback, is the `__cause__` of the error.",
)

DOCUMENT = "from flask_routehandlers.openapi import document\n"
DOCS = "from flask_routehandlers.openapi import docs\n\nGET = docs\n"


def described(code: str) -> dict[str, str]:
    """Return the route file of a document, with other code in it."""
    return route("openapi.json", f"{DOCUMENT}{code}\nGET = document\n")


OPENAPI = Section(
    "## The OpenAPI document",
    (
        Example(described("") | route("users")),
        Example(
            described('\nopenapi = {"info": {"title": "Shop", "version": "1.0"}}\n')
            | route("search", "def QUERY(): return []\n")
        ),
        Example(
            described('\nopenapi = {"info": {"title": "Shop", "version": "1.0"}}\n')
            | route(
                "users", 'openapi = {"security": [{"session": []}]}\n\n\ndef GET(): return []\n'
            )
        ),
        Example(
            described('\nopenapi = {"info": {"title": "Shop", "version": "1.0"}}\n')
            | route(
                "users",
                'openapi = {"GET": {"operationId": "list"}}\n\n\ndef GET(): return []\n',
            )
            | route(
                "orders",
                'openapi = {"GET": {"operationId": "list"}}\n\n\ndef GET(): return []\n',
            )
        ),
        Example(
            route("users", 'openapi = "List users."\n\n\ndef GET(): return []\n')
            | route("orders", 'openapi = {"x-since": {2026}}\n\n\ndef GET(): return []\n')
            | route("posts", 'openapi = {"responses": {404: {}}}\n\n\ndef GET(): return []\n')
        ),
        Example(
            route(
                "users",
                'openapi = {"sumary": "List users.", "tags": "shop", "GET": "hidden"}\n\n\n'
                "def GET(): return []\n",
            )
            | route("orders", 'openapi = {"POST": {}}\n\n\ndef GET(): return []\n')
        ),
        Example(
            described('\nopenapi = {"info": {"title": "Shop", "version": "1.0"}}\n')
            | route("docs", DOCS)
        ),
        Example(route("docs/[[...asset]]", DOCS)),
        Example(
            described('\nopenapi = {"info": {"title": "Shop", "version": "1.0"}}\n')
            | route("docs/[[...asset]]", DOCS),
            given="no flask_swagger_ui",
        ),
    ),
)

SECTIONS = (
    HANDLERS,
    ARGUMENTS,
    INPUTS,
    OUTPUTS,
    DEPENDENCIES,
    MIDDLEWARE,
    CONFIG,
    OPENAPI,
    IMPORTED,
)
