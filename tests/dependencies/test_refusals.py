"""What is refused at start-up: the file, the reason and the hint."""

from __future__ import annotations

import pytest

from tests.support import bare_app, refused

ROOT = ("dependencies.py",)
ROUTE = ("x/route.py",)

#: A dependencies.py, and the message about it.
IN_DEPENDENCIES = {
    "def user(dbb): ...\ndef db(): ...": (
        "user asks for 'dbb', which is not in the path. Did you mean 'db'? It can ask for "
        "'request', 'params' and 'db'. Any other parameter needs a default. "
        "If user is not a dependency, begin its name with an underscore."
    ),
    "def role(wanted: int): ...": (
        "role asks for 'wanted', which is not in the path. It can ask for 'request' and "
        "'params'. Any other parameter needs a default. For a value from the client, write "
        "wanted: Query[int]. For any other, define wanted() in a dependencies.py of this folder "
        "or above. If role is not a dependency, begin its name with an underscore."
    ),
    "def user(call_next): ...": (
        "user asks for 'call_next', which is not in the path. It can ask for 'request' and "
        "'params'. Any other parameter needs a default. If user is not a dependency, begin its "
        "name with an underscore."
    ),
    "def user(request, /): ...": (
        "user has the positional-only parameter 'request', but arguments are passed by name. "
        "Remove the / from its signature."
    ),
    "def user(db=None): ...\ndef db(): ...": (
        "user gives db a default, but it is a dependency. "
        "Remove the default. Tests can pass the argument, or use override()."
    ),
    "def user(user): ...": (
        "The dependency user asks for itself, and no folder above has another. "
        "Remove the argument."
    ),
    "def a(b): ...\ndef b(a): ...": (
        "The dependencies a -> b -> a ask for each other. "
        "Remove one of the arguments, or move what both need into another dependency."
    ),
    "def z(a): ...\ndef a(b): ...\ndef b(c): ...\ndef c(a): ...\ndef y(z): ...": (
        "The dependencies a -> b -> c -> a ask for each other. "
        "Remove one of the arguments, or move what both need into another dependency."
    ),
    "def request(): ...": "The dependency request has a reserved name. Rename it.",
    "def params(): ...": "The dependency params has a reserved name. Rename it.",
    "def call_next(): ...": "The dependency call_next has a reserved name. Rename it.",
    "def user(body: Body[dict]): ...": (
        "user has a Body, but it runs for requests without a body. "
        "Use Query, or move it to a POST, PUT, PATCH or DELETE handler."
    ),
    "def user(field: Form[str]): ...": (
        "user has a Form, but it runs for requests without a body. "
        "Use Query, or move it to a POST, PUT, PATCH or DELETE handler."
    ),
    "def user(db: Query[str]): ...\ndef db(): ...": (
        "user has a marker on db, which is a dependency. "
        "Remove the marker, or rename the argument."
    ),
    "def user(request: Query[str]): ...": (
        "user has a marker on request, a reserved name. Rename the argument."
    ),
    "def user(data_base=None): ...\ndef database(): ...": (
        "user has the argument data_base with a default, which nothing sets. "
        "Did you mean the dependency database? Rename the argument otherwise."
    ),
}


@pytest.mark.parametrize("code", IN_DEPENDENCIES)
def test_a_file_of_dependencies_is_refused(refuse, code):
    assert refuse(code) == [(ROOT, IN_DEPENDENCIES[code])]


#: A dependencies.py, a handler and the message about this.
IN_ROUTES = [
    (
        "def user(): ...",
        "def GET(usr): ...",
        "GET asks for 'usr', which is not in the path. Did you mean 'user'? It can ask for "
        "'request', 'params' and 'user'. Any other parameter needs a default.",
    ),
    (
        "def user(): ...",
        "def GET(user=None): ...",
        "GET gives user a default, but it is a dependency. "
        "Remove the default. Tests can pass the argument, or use override().",
    ),
    (
        "def current_user(): ...",
        "def GET(curent_user=None): ...",
        "GET has the argument curent_user with a default, which nothing sets. "
        "Did you mean the dependency current_user? Rename the argument otherwise.",
    ),
    (
        "from decimal import Decimal\ndef price() -> Decimal | None: ...",
        "from decimal import Decimal\ndef GET(amount: Decimal = Decimal(3)): ...",
        "GET has the argument amount with a default, which nothing sets. "
        "Did you mean the dependency price? Remove the annotation otherwise.",
    ),
    (
        "def user(): ...",
        "def GET(user: Query[str]): ...",
        "GET has a marker on user, which is a dependency. "
        "Remove the marker, or rename the argument.",
    ),
]


@pytest.mark.parametrize(("code", "route", "message"), IN_ROUTES)
def test_a_handler_is_refused(refuse, code, route, message):
    assert refuse(code, route) == [(ROUTE, message)]


@pytest.mark.parametrize(
    ("folder", "renamed"),
    [
        ("[user]", "[user_id]"),
        ("[user=int]", "[user_id=int]"),
        ("user-[user].json", "user-[user_id].json"),
        ("[...user]", "[...user_id]"),
        ("[[...user]]", "[[...user_id]]"),
    ],
)
def test_names_of_path_parameters_are_refused(refuse, serve, folder, renamed):
    for place, shown in [(f"x/{folder}/", folder), ("x/", f"x/{folder}"), ("", f"x/{folder}")]:
        file = f"{place}dependencies.py"
        files = {file: "def user(): ...", f"x/{folder}/route.py": "def GET(): return ''"}
        message = (
            f"The dependency user has the name of a path parameter, in {shown}. "
            f"Rename the dependency, or the folder to {renamed}."
        )
        assert refuse(files) == [((file,), message)]
    # The folder can be renamed, as the hint says.
    serve({"dependencies.py": "def user(): ...", f"x/{renamed}/route.py": "def GET(user): ..."})


def test_an_outer_definition_that_is_missing_is_refused(refuse):
    files = {"x/dependencies.py": "def user(user): ...", "x/route.py": "def GET(): return ''"}
    assert refuse(files) == [
        (
            ("x/dependencies.py",),
            "The dependency user asks for itself, and no folder above has another. "
            "Remove the argument, or define the outer one in a folder above.",
        )
    ]


def test_a_parameter_of_the_prefix_is_refused(tree):
    folder = tree({"dependencies.py": "def lang(): ...", "x/route.py": "def GET(): ..."})
    [problem] = refused(bare_app(folder), url_prefix="/<lang>/api")
    assert (problem.reason, problem.hint) == (
        "The dependency lang has the name of a path parameter, in /<lang>/api.",
        "Rename one of the two.",
    )


def test_a_parameter_of_a_deeper_folder_is_refused(refuse):
    files = {"dependencies.py": "def user(id): ...", "x/[id]/route.py": "def GET(): ..."}
    assert refuse(files) == [
        (
            ROOT,
            "user asks for 'id', a parameter of the deeper folder x/[id]: not every request here "
            "has it. Move it to a dependencies.py in that folder, or read params.get('id').",
        )
    ]


def test_an_annotation_of_a_path_parameter_is_checked(refuse):
    files = {"[id]/dependencies.py": "def user(id: int): ...", "[id]/route.py": "def GET(): ..."}
    assert refuse(files) == [
        (
            ("[id]/dependencies.py",),
            "user annotates id as int, but the folder [id] passes a str. "
            "Rename the folder to [id=int], or write id: str.",
        )
    ]


def test_each_problem_is_reported_once_where_it_is(refuse):
    # Not again in what asks for it, directly or through others.
    files = {
        "dependencies.py": "def db(nothing): ...\ndef user(db): ...",
        "middleware.py": "def middleware(user, call_next): return call_next()",
        "x/dependencies.py": "def article(user): ...\ndef tag(nothing): ...",
        "x/route.py": "def GET(article, tag): ...\ndef POST(user): ...",
    }
    assert [(files, message[:20]) for files, message in refuse(files)] == [
        (ROOT, "db asks for 'nothing"),
        (("x/dependencies.py",), "tag asks for 'nothin"),
    ]


def test_middleware_that_asks_for_an_unknown_name_is_refused(refuse):
    files = {
        "dependencies.py": "def user(): ...",
        "middleware.py": "def middleware(usr, call_next): return call_next()",
        "x/route.py": "def GET(): ...",
    }
    assert refuse(files) == [
        (
            ("middleware.py",),
            "middleware asks for 'usr', which is not in the path. Did you mean 'user'? It can "
            "ask for 'request', 'call_next', 'params' and 'user'. "
            "Any other parameter needs a default.",
        )
    ]


def test_a_file_that_cannot_be_imported_is_refused_alone(refuse):
    files = {
        "dependencies.py": "1 / 0",
        "x/dependencies.py": "def user(db): ...",
        "x/middleware.py": "def middleware(db, call_next): return call_next()",
        "x/route.py": "def GET(user, db): ...",
    }
    [(place, message)] = refuse(files)
    assert place == ROOT
    assert message.startswith(
        "dependencies.py could not be imported: ZeroDivisionError: division by zero. Look at "
    )


def test_every_dependency_is_checked(refuse):
    # Whether anything asks for it or not, in each folder.
    files = {
        "dependencies.py": "def a(nothing): ...",
        "x/dependencies.py": "def b(nothing): ...",
        "x/y/route.py": "def GET(): ...",
    }
    assert [place for place, _ in refuse(files)] == [ROOT, ("x/dependencies.py",)]


def test_an_async_dependency_needs_asgiref(refuse, monkeypatch):
    monkeypatch.setattr("flask_routehandlers.scopes.find_spec", lambda name: None)
    monkeypatch.setattr("flask_routehandlers.scopes.keeps_loop", lambda app: False)
    assert refuse("async def a(): ...\nasync def b(): yield\ndef c(): ...") == [
        (ROOT, f"{name} is async, and Flask needs asgiref to call it. "
         'Install it: pip install "flask[async]".')
        for name in ("a", "b")
    ]  # fmt: skip
