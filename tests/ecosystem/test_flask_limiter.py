"""Flask-Limiter: it finds limits, exemptions and defaults by the name of the stored view.

The name consists of ``__module__``, ``__name__`` and ``__qualname__``. That of a closure is in
none of its tables: limits would not override defaults, exemptions would be lost, and after the
limit of one handler is exceeded, the defaults would no longer apply to the others.
"""

from __future__ import annotations

import pytest

pytest.importorskip("flask_limiter")

from flask_routehandlers import StaticRequestError
from tests.ecosystem.support import statuses

LIMITER = """
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

limiter = Limiter(get_remote_address, default_limits=["2 per day"], storage_uri="memory://")
"""


def test_a_limit_counts_for_its_handler_alone(make_project):
    app, extensions = make_project(
        LIMITER,
        {
            "jobs/route.py": """
from ...extensions import limiter

@limiter.limit("3 per day")
def GET():
    return []

def POST():
    return {}
""",
            "other/route.py": "def GET():\n    return []\n",
        },
    )
    extensions.limiter.init_app(app)
    jobs = ["GET /api/jobs", "HEAD /api/jobs", "GET /api/jobs", "HEAD /api/jobs", "GET /api/jobs"]
    assert statuses(app, *jobs) == [200, 200, 200, 429, 429]
    assert statuses(app, *["POST /api/jobs"] * 3) == [200, 200, 429]
    assert statuses(app, *["GET /api/other"] * 3) == [200, 200, 429]


@pytest.mark.parametrize(
    ("options", "first_post"), [("", 429), (", per_method=True", 200), (", scope='write'", 200)]
)
def test_equal_limits_in_one_file_can_be_separate(make_project, options, first_post):
    # Flask-Limiter counts by endpoint and limit, and a file is one endpoint.
    app, extensions = make_project(
        LIMITER,
        {
            "jobs/route.py": f"""
from ...extensions import limiter

@limiter.limit("1 per day")
def GET():
    return []

@limiter.limit("1 per day"{options})
def POST():
    return {{}}
"""
        },
    )
    extensions.limiter.init_app(app)
    assert statuses(app, "GET /api/jobs", "GET /api/jobs") == [200, 429]
    assert statuses(app, "POST /api/jobs", "POST /api/jobs") == [first_post, 429]


def test_one_handler_is_exempt(make_project):
    app, extensions = make_project(
        LIMITER,
        {
            "jobs/route.py": """
from ...extensions import limiter

@limiter.exempt
def GET():
    return []

def POST():
    return {}

def DELETE():
    return {}
""",
            "other/route.py": "def GET():\n    return []\n",
        },
    )
    extensions.limiter.init_app(app)
    extensions.limiter.exempt(app.view_functions["api./jobs"].view_class.delete)
    for exempt in ("GET", "HEAD", "DELETE"):
        assert statuses(app, *[f"{exempt} /api/jobs"] * 5) == [200] * 5
    assert statuses(app, *["POST /api/jobs"] * 3) == [200, 200, 429]
    assert statuses(app, *["GET /api/other"] * 3) == [200, 200, 429]


@pytest.mark.parametrize(("per_method", "first_post"), [(False, 429), (True, 200)])
def test_default_limits_are_for_file_or_method(make_project, per_method, first_post):
    app, extensions = make_project(
        LIMITER.replace("storage_uri", f"default_limits_per_method={per_method}, storage_uri"),
        {
            "jobs/route.py": "def GET():\n    return []\n\ndef POST():\n    return {}\n",
            "other/route.py": "def GET():\n    return []\n",
        },
    )
    extensions.limiter.init_app(app)
    assert statuses(app, *["GET /api/jobs"] * 3) == [200, 200, 429]
    assert statuses(app, "POST /api/jobs") == [first_post]
    assert statuses(app, *["GET /api/other"] * 3) == [200, 200, 429]


def test_automatic_answers_have_default_limits(make_project):
    app, extensions = make_project(LIMITER, {"jobs/route.py": "def GET():\n    return []\n"})
    extensions.limiter.init_app(app)
    assert statuses(app, "OPTIONS /api/jobs", "PATCH /api/jobs") == [204, 405]
    assert statuses(app, "OPTIONS /api/jobs", "PATCH /api/jobs") == [429, 429]


PAGE = "revalidate = 60\ndef GET():\n    return 'hello'\n"


def test_static_handlers_need_limits_on_middleware(make_project):
    limited = "from ...extensions import limiter\n@limiter.limit('3 per day')\n"
    files = {
        "handler/route.py": PAGE.replace("def GET", f"{limited}def GET"),
        "guarded/middleware.py": f"{limited}def middleware(call_next):\n    return call_next()\n",
        "guarded/route.py": PAGE,
    }
    app, extensions = make_project(LIMITER, files)
    extensions.limiter.init_app(app)
    assert statuses(app, *["GET /api/guarded"] * 5) == [200, 200, 200, 429, 429]
    app.testing = True
    with pytest.raises(StaticRequestError, match=r"handler/route\.py used request\.remote_addr"):
        app.test_client().get("/api/handler")
