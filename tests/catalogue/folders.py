"""Messages about the root, the names of folders, and files that exclude each other."""

from __future__ import annotations

from tests.catalogue.model import DEFAULT_GET, Example, Section, middleware, route

MIDDLEWARE = "def middleware(call_next): ...\n"

ROOT = Section(
    "## The root",
    (
        Example(
            note="A relative root starts at `app.root_path`: the folder of `wsgi.py` for "
            "`Flask(__name__)` in that file."
        ),
        Example(note="A file has the name of the root:", prepare=("touch app/api",)),
        Example(
            note="Python can import an app from a zip archive, as `python -m zipapp` makes it, "
            "but route files have to be ordinary files:",
            files=route("health")
            | {
                "wsgi.py": "from flask import Flask\n"
                "from flask_routehandlers import RouteHandlers\n\n\n"
                "def main():\n    app = Flask(__name__)\n    RouteHandlers(app)\n"
                "    app.run()\n"
            },
            commands=(
                "python -m zipapp /srv/shop -m wsgi:main -o /srv/shop.pyz",
                "python /srv/shop.pyz",
            ),
        ),
        Example(
            note="`app.py` and `app/` would both be the module `app`. The command `flask` also "
            "looks for `wsgi.py`, which has no such conflict:",
            files=route("health")
            | {
                "app.py": "from flask import Flask\n"
                "from flask_routehandlers import RouteHandlers\n\n"
                "app = Flask(__name__)\nRouteHandlers(app)\n"
            },
            commands=("flask --app app routes",),
        ),
    ),
)

NAMES = Section(
    "## Folder names",
    (
        Example(
            note="The name of a parameter is an argument of handlers:",
            named=("[...]", "[]", "[class]", "[post-id]", "[request]", "[…path]"),
        ),
        Example(
            note="A converter comes after the name, and a catch-all has none:",
            named=("[...path=int]", "[id=]", "[int:id]"),
        ),
        Example(
            note="Brackets come in pairs, and text separates parameters:",
            named=("[[...path]", "[[x]y]", "[a][b]", "[id"),
        ),
        Example(
            note="Nothing surrounds a catch-all, and only a catch-all can be optional:",
            named=("[[lang]]", "files-[...path]", "files-[[...path]]"),
        ),
        Example(
            note="A group is a whole folder name in parentheses:",
            named=("()", "(admin)[id]", "(admin)b"),
        ),
        Example(note="Two conventions of Next.js are for pages:", named=("(.)photo", "@modal")),
        Example(
            note="Flask or a proxy would interpret some characters:",
            named=("%2E", "100%", "<b>c", "<int:id>", "caf%C3%A9"),
        ),
    ),
    "[Routing](routing.md#segments) has the grammar. A name outside of it is refused, and is "
    "never taken literally.",
)

TWO_FILES = Section(
    "## Two files for one URL",
    (
        Example(
            note="A group is not part of the URL:",
            named=("(admin)/users/route.py", "users/route.py"),
        ),
        Example(
            note="Neither is the name of a parameter, at any depth:",
            named=("users/[id]/route.py", "users/[name]/route.py"),
        ),
        Example(named=("users/[id]/route.py", "users/[name]/posts/route.py")),
        Example(named=("files/[...path]/route.py", "files/[[...path]]/route.py")),
        Example(
            note="An optional catch-all answers the URL of its parent folder too:",
            named=("docs/[[...page]]/route.py", "docs/route.py"),
        ),
        Example(
            note="Some file systems distinguish these folders, others do not:",
            named=("Users/route.py", "users/posts/route.py"),
        ),
    ),
)

PATHS = Section(
    "## Parameters of a path",
    (
        Example(named=("files/[...path]/edit/route.py",)),
        Example(named=("users/[id]/posts/[id]/route.py",)),
    ),
)

LINKS = Section(
    "## Files and links",
    (
        Example(
            note="Nothing outside the root is loaded, except in a tree that an "
            "[installer](packaging.md#while-you-develop) has made of links:",
            prepare=(
                "mkdir -p /srv/shared/users app/api",
                "touch /srv/shared/users/route.py",
                "ln -s /srv/shared app/api/shared",
            ),
        ),
        Example(prepare=("mkdir -p app/api/users", "ln -s ../users app/api/users/again")),
        Example(prepare=("mkdir -p app/api/users", "ln -s missing.py app/api/users/route.py")),
        Example(
            note="A folder that cannot be listed could hide a route file:",
            files=route("secret"),
            given="secret cannot be read",
        ),
        Example(
            note="Python would import these names from a package or a compiled module too. A "
            "guard in one of them would never run:",
            files=route("admin/users")
            | {
                "app/api/admin/middleware/__init__.py": "from flask import abort\n\n\n"
                "def middleware(request, call_next):\n    abort(403)\n"
            },
        ),
        Example(
            prepare=(
                "mkdir -p app/api/users",
                "touch app/api/users/route.cpython-311-x86_64-linux-gnu.so",
            )
        ),
    ),
)

MODULES = Section(
    "## Module names",
    (
        Example(named=("feed.xml", "feed_xml")),
        Example(
            note="A [private folder](routing.md#segments), `_lib`, is a better place for helpers:",
            files={"app/api/users.py": "def load(): ...\n"} | route("users"),
        ),
    ),
    "A route file is a module named after its folders: `users/[id]/route.py` is "
    "`app.api.users.[id].route`.",
)

WITHOUT_EFFECT = Section(
    "## Files without effect",
    (
        Example(files={"app/api/users/notes.txt": ""}),
        Example(files=route("orders") | {"app/api/users/routes.py": DEFAULT_GET}),
        Example(
            files=route("users")
            | {
                "app/api/users/middlewares.py": MIDDLEWARE,
                "app/api/users/dependency.py": "def user(): ...\n",
            }
            | middleware("orders", MIDDLEWARE),
        ),
        Example(
            note="`check` reports these too:",
            files=route("orders")
            | {"app/api/users.py": DEFAULT_GET}
            | route("_drafts")
            | route(".drafts")
            | route("items/:id"),
        ),
    ),
    "The app starts, with a warning for each. To stop it instead, use "
    '`warnings.simplefilter("error", RouteHandlersWarning)`.',
)

SECTIONS = (ROOT, NAMES, TWO_FILES, PATHS, LINKS, MODULES, WITHOUT_EFFECT)
