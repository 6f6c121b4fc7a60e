"""Names are looked up in the folder of the function that asks, then upwards."""

from __future__ import annotations

from tests.dependencies.support import take_log


def test_the_nearest_definition_counts(serve):
    client = serve(
        {
            "dependencies.py": "def name(): return 'root'",
            "a/dependencies.py": "def name(): return 'a'",
            "a/b/route.py": "def GET(name): return name",
            "(group)/dependencies.py": "def name(): return 'group'",
            "(group)/c/route.py": "def GET(name): return name",
            "d/route.py": "def GET(name): return name",
        }
    )
    answers = [client.get(f"/api/{path}").text for path in ("a/b", "c", "d")]
    assert answers == ["a", "group", "root"]


def test_outer_functions_never_see_a_deeper_definition(serve):
    # A deeper folder cannot disarm an outer guard.
    client = serve(
        {
            "dependencies.py": "def user(): return 'nobody'\ndef guard(user): return user",
            "middleware.py": """
def middleware(guard, user, call_next):
    response = call_next()
    response.headers["Seen"] = f"{guard} {user}"
    return response
""",
            "a/dependencies.py": """
def user(): return 'admin'
def own(user, guard): return [user, guard]
""",
            "a/route.py": "def GET(user, guard, own): return [user, guard, own]",
        }
    )
    response = client.get("/api/a")
    assert response.json == ["admin", "nobody", ["admin", "nobody"]]
    assert response.headers["Seen"] == "nobody nobody"


def test_a_definition_can_ask_for_the_outer_one_of_its_name(serve):
    client = serve(
        {
            "dependencies.py": "def user(): log('root'); return ['root']",
            "a/dependencies.py": "def user(user): log('a'); return [*user, 'a']",
            "a/b/c/dependencies.py": "def user(user): log('c'); return [*user, 'c']",
            "a/b/c/middleware.py": "def middleware(user, call_next): return call_next()",
            "a/b/c/route.py": "def GET(user): return user",
            "a/b/route.py": "def GET(user): return user",
        }
    )
    assert client.get("/api/a/b/c").json == ["root", "a", "c"]
    assert take_log() == ["root", "a", "c"]
    assert client.get("/api/a/b").json == ["root", "a"]


def test_a_shared_function_runs_once_under_each_name_and_place(serve):
    client = serve(
        {
            "_lib/shared.py": """
from tests.dependencies.support import log
def db(): log('db'); return {}
""",
            "dependencies.py": "from ._lib.shared import db\n__all__ = ['db']",
            "a/dependencies.py": """
from .._lib.shared import db
session = db
__all__ = ["db", "session"]
""",
            "middleware.py": """
def middleware(db, call_next):
    db["seen"] = 1
    return call_next()
""",
            "a/route.py": "def GET(db, session): return [db, session]",
        }
    )
    assert client.get("/api/a").json == [{"seen": 1}, {"seen": 1}]
    assert take_log() == ["db"]


def test_a_shared_function_with_other_dependencies_is_another_one(serve):
    client = serve(
        {
            "_lib/shared.py": "def label(name): return f'label of {name}'",
            "dependencies.py": """
from ._lib.shared import label
def name(): return 'root'
__all__ = ['name', 'label']
""",
            "a/dependencies.py": """
from .._lib.shared import label
def name(): return 'a'
__all__ = ['name', 'label']
""",
            "middleware.py": """
def middleware(label, call_next):
    response = call_next()
    response.headers["Seen"] = label
    return response
""",
            "a/route.py": "def GET(label): return label",
        }
    )
    response = client.get("/api/a")
    assert (response.text, response.headers["Seen"]) == ("label of a", "label of root")


def test_a_folder_without_routes_of_its_own_can_define(serve):
    client = serve(
        {
            "a/dependencies.py": "def name(): return 'a'",
            "a/[id]/b/route.py": "def GET(name): return name",
        }
    )
    assert client.get("/api/a/1/b").text == "a"
