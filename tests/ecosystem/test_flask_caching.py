"""Flask-Caching: its keys are the path of a view, and the module and name of a function.

If all route files had one module name, they would serve each other's values.
"""

from __future__ import annotations

import pytest

pytest.importorskip("flask_caching")

CACHE = """
from itertools import count
from flask_caching import Cache

cache = Cache(config={"CACHE_TYPE": "SimpleCache"})
runs = count()
"""


def test_one_handler_is_served_from_the_cache(make_project):
    cached = """
from ....extensions import cache, runs

@cache.cached()
def GET(year, request):
    return {"year": year, "run": next(runs), "path": request.path}

def POST(year):
    return {"year": year, "run": next(runs)}

@cache.cached(key_prefix="query/%s")
def QUERY(year):
    return {"year": year, "run": next(runs)}
"""
    app, extensions = make_project(
        CACHE, {"sales/[year=int]/route.py": cached, "costs/[year=int]/route.py": cached}
    )
    extensions.cache.init_app(app)
    client = app.test_client()
    first = {"year": 2024, "run": 0, "path": "/api/sales/2024"}
    assert client.get("/api/sales/2024").json == first
    assert client.get("/api/sales/2024").json == first
    assert client.head("/api/sales/2024").status_code == 200
    assert client.post("/api/sales/2024").json == {"year": 2024, "run": 1}
    for _ in range(2):
        answer = client.open("/api/sales/2024", method="QUERY")
        assert answer.json == {"year": 2024, "run": 2}
    for run, path in [(3, "/api/sales/2025"), (4, "/api/costs/2024")]:
        assert client.get(path).json == {"year": int(path[-4:]), "run": run, "path": path}
    assert client.get("/api/sales/2024").json == first


def test_memoized_helpers_of_one_name_differ(make_project):
    memoized = """
from ...extensions import cache, runs

@cache.memoize()
def total(year):
    return {"year": year, "run": next(runs)}

def GET(request):
    return total(request.args["year"])

def DELETE(request):
    cache.delete_memoized(total, request.args["year"])
    return "", 204
"""
    app, extensions = make_project(CACHE, {"sales/route.py": memoized, "costs/route.py": memoized})
    extensions.cache.init_app(app)
    client = app.test_client()

    def run(tree: str, year: int) -> int:
        return client.get(f"/api/{tree}?year={year}").json["run"]

    years = [("sales", 2024), ("sales", 2025), ("costs", 2024)]
    assert [run(*year) for year in years * 2] == [0, 1, 2] * 2
    client.delete("/api/sales?year=2024")
    assert [run(*year) for year in years] == [3, 1, 2]
