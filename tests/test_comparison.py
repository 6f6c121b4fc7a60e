"""The rows with a star of the README's table of frameworks, where these are installed.

``pip install --group benchmarks`` installs them, and so does ``nox -s conformance``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Blueprint, Flask

from flask_routehandlers import RouteHandlers, RouteTreeError
from tests.pages import REPOSITORY
from tests.support import bare_app, write_files

pytestmark = pytest.mark.filterwarnings("default")

#: The answer to ``GET /item``. Its declared type has the field ``id`` alone.
ITEM = {"id": 3, "secret": "s"}


@dataclass(frozen=True)
class Answer:
    """What is compared of a response."""

    status: int
    kind: str
    json: Any = None


Ask = Callable[[str, str], Answer]


def delete_user(id: str) -> dict[str, str]:
    return {"deleted": id}


def me() -> dict[str, bool]:
    return {"me": True}


def item() -> dict[str, Any]:
    return ITEM


def add_views(add: Callable[..., Callable[[Any], Any]]) -> None:
    """Register two views of one URL, and two whose URLs overlap."""
    add("/users/me", methods=["GET"])(me)
    add("/users/<id>", methods=["DELETE"])(delete_user)
    for number in (1, 2):
        add("/twice", methods=["GET"], endpoint=f"view{number}")(lambda n=number: {"view": n})


def asker(app: Flask) -> Ask:
    def ask(method: str, path: str) -> Answer:
        response = app.test_client().open(path, method=method)
        return Answer(response.status_code, response.mimetype, response.get_json(silent=True))

    return ask


def blueprints() -> Ask:
    app = Flask("plain")
    api = Blueprint("api", __name__)
    add_views(api.route)
    api.get("/item")(item)
    app.register_blueprint(api)
    return asker(app)


def smorest() -> Ask:
    flask_smorest = pytest.importorskip("flask_smorest")
    marshmallow = pytest.importorskip("marshmallow")
    app = Flask("smorest")
    app.config.update(API_TITLE="Test", API_VERSION="1", OPENAPI_VERSION="3.1.0")
    api = flask_smorest.Blueprint("api", __name__)
    add_views(api.route)
    schema = marshmallow.Schema.from_dict({"id": marshmallow.fields.Int()})
    api.route("/item", methods=["GET"])(api.response(200, schema)(item))
    flask_smorest.Api(app).register_blueprint(api)
    return asker(app)


def openapi3() -> Ask:
    module = pytest.importorskip("flask_openapi3")
    pydantic = pytest.importorskip("pydantic")
    app = module.OpenAPI("openapi3")

    class Path(pydantic.BaseModel):
        id: str

    def delete(path: Path) -> dict[str, str]:
        return delete_user(path.id)

    delete.__annotations__ = {"path": Path}
    app.get("/users/me")(me)
    app.delete("/users/<id>")(delete)
    for number in (1, 2):
        app.get("/twice", endpoint=f"view{number}")(lambda n=number: {"view": n})
    declared = pydantic.create_model("Item", id=(int, ...))
    app.get("/item", responses={200: declared})(item)
    return asker(app)


def apiflask() -> Ask:
    module = pytest.importorskip("apiflask")
    pydantic = pytest.importorskip("pydantic")
    app = module.APIFlask("apiflask")
    add_views(app.route)
    declared = pydantic.create_model("Item", id=(int, ...))
    app.get("/item")(app.output(declared)(item))
    return asker(app)


def fastapi() -> Ask:
    module = pytest.importorskip("fastapi")
    testclient = pytest.importorskip("fastapi.testclient")
    pydantic = pytest.importorskip("pydantic")
    app = module.FastAPI()
    app.get("/users/me")(me)
    app.delete("/users/{id}")(delete_user)
    app.get("/twice")(lambda: {"view": 1})
    app.get("/twice")(lambda: {"view": 2})
    declared = pydantic.create_model("Item", id=(int, ...))
    app.get("/item", response_model=declared)(item)
    client = testclient.TestClient(app)

    def ask(method: str, path: str) -> Answer:
        response = client.request(method, path)
        kind = response.headers.get("content-type", "")
        return Answer(response.status_code, kind, response.json() if response.content else None)

    return ask


@pytest.fixture
def here(tmp_path) -> Ask:
    write_files(
        tmp_path / "app",
        {
            "users/me/route.py": "def GET(): return {'me': True}",
            "users/[id]/route.py": "def DELETE(id): return {'deleted': id}",
            "item/route.py": "from pydantic import BaseModel\n"
            "class Item(BaseModel):\n    id: int\n"
            f"def GET() -> Item: return {ITEM}",
        },
    )
    app = bare_app(tmp_path)
    RouteHandlers(app, root="app")
    return asker(app)


FRAMEWORKS = {
    "Blueprints": blueprints,
    "flask-smorest": smorest,
    "flask-openapi3": openapi3,
    "APIFlask": apiflask,
    "FastAPI": fastapi,
}


def read_table() -> dict[str, dict[str, str]]:
    """Return the cells of the table by column and the beginning of the row."""
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    header = next(line for line in text.splitlines() if line.startswith("| | Blueprints"))
    lines = text.partition(header)[2].partition("\n\n")[0].strip().splitlines()[1:]
    columns = [cell.strip() for cell in header.strip("| ").split("|")]
    table: dict[str, dict[str, str]] = {column: {} for column in columns}
    for line in lines:
        row, *cells = [cell.strip() for cell in line.strip("|").split("|")]
        for column, cell in zip(columns, cells, strict=True):
            table[column][row] = cell
    return table


def describe(ask: Ask) -> dict[str, str]:
    """Try the rows; return what their cells begin with."""
    overlap = ask("DELETE", "/users/me")
    automatic = [ask(method, "/users/me").status for method in ("HEAD", "OPTIONS")]
    kinds = {"text/html": "HTML", "application/json": "JSON"}
    kinds["application/problem+json"] = "RFC 9457"
    return {
        "`GET /users/me`": '`id="me"`' if overlap.json == {"deleted": "me"} else "405",
        "Undeclared fields": "sent" if ask("GET", "/item").json == ITEM else "left out",
        "An error is": kinds[ask("PUT", "/users/me").kind],
        "`HEAD` and `OPTIONS`": "405" if 405 in automatic else "answered",
    }


def compare(column: str, answers: dict[str, str]) -> None:
    cells = read_table()[column]
    for begin, answer in answers.items():
        [cell] = [cell for row, cell in cells.items() if row.startswith(begin)]
        assert cell.startswith(answer), f"{column}, {begin}: {answer}"


@pytest.mark.parametrize("column", FRAMEWORKS)
def test_a_framework_does_what_the_table_says(column):
    ask = FRAMEWORKS[column]()
    compare(column, describe(ask) | {"Two views": "first wins"})
    assert ask("GET", "/twice").json == {"view": 1}


def test_a_tree_does_what_the_table_says(here):
    compare("here", describe(here) | {"Two views": "refused at start"})


def test_two_files_for_one_url_are_refused(tmp_path):
    files = {f"({name})/twice/route.py": "def GET(): ..." for name in "ab"}
    write_files(tmp_path / "app", files)
    with pytest.raises(RouteTreeError):
        RouteHandlers(bare_app(tmp_path), root="app")
