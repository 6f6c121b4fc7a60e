"""When a dependency cleans up, in which order, and what it learns about the request."""

from __future__ import annotations

import pytest

from tests.dependencies.support import (
    COMMITTED,
    SESSIONS,
    both_kinds,
    rolled_back,
    take_log,
)

#: Three dependencies that log when they begin and end; ``three`` asks for ``one``.
THREE = "\n".join(
    f"{{define}} {name}({asks}):\n    log('{name}')\n    yield\n    log('/{name}')"
    for name, asks in [("one", ""), ("two", ""), ("three", "one")]
)

DEFINES = {"sync": "def", "async": "async def"}


@both_kinds
def test_the_last_one_cleans_up_first(serve, kind):
    client = serve(
        THREE.format(define=DEFINES[kind]), "def GET(two, three): log('handler'); return ''"
    )
    client.get("/api/x")
    assert take_log() == ["two", "one", "three", "handler", "/three", "/one", "/two"]


@both_kinds
@pytest.mark.parametrize("define", ["def", "async def"])
def test_each_link_cleans_up_what_it_caused(serve, kind, define):
    call = "call_next()" if define == "def" else "await call_next()"
    client = serve(
        {
            "dependencies.py": THREE.format(define=DEFINES[kind]),
            "middleware.py": f"""
{define} outer(one, call_next):
    response = {call}
    log("outer")
    return response

{define} inner(two, one, call_next):
    response = {call}
    log("inner")
    return response

middleware = [outer, inner]
""",
        },
        f"{define} GET(three, two): log('handler'); return ''",
    )
    client.get("/api/x")
    assert take_log() == [
        "one", "two", "three", "handler", "/three", "inner", "/two", "outer", "/one"
    ]  # fmt: skip


@both_kinds
def test_the_answer_is_written_before_the_clean_up(serve, kind):
    client = serve(
        SESSIONS[kind],
        """
class Odd:
    def __init__(self): log("made")
    def __html__(self): log("written"); return "html"
def GET(db): return {"odd": Odd()}
""",
    )
    assert client.get("/api/x").json == {"odd": "html"}
    assert take_log() == ["open", "made", "written", "commit", "close"]


#: What a handler does, its status, and how a session sees it.
ENDS = {
    "return 'fine'": (200, COMMITTED),
    "return 'made', 201": (201, COMMITTED),
    "return 'conflict', 409": (409, COMMITTED),
    "return Response('oops', 500)": (500, COMMITTED),
    "return Conflict()": (409, rolled_back("Conflict")),
    "raise Conflict()": (409, rolled_back("Conflict")),
    "abort(404)": (404, rolled_back("NotFound")),
    "abort(Response('gone', 410))": (410, rolled_back("HTTPException")),
    "abort(redirect('/there'))": (302, COMMITTED),
    "abort(Response('fine'))": (200, COMMITTED),
    "1 / 0": (500, rolled_back("ZeroDivisionError")),
    "return None": (500, rolled_back("TypeError")),
    "return {'not': 'JSON', 'at': {1, 2}}": (500, rolled_back("TypeError")),
    "return object()": (500, rolled_back("TypeError")),
    "raise KeyError('x')": (500, rolled_back("KeyError")),
    "raise Odd": (500, rolled_back("Odd")),
}


@both_kinds
@pytest.mark.parametrize("define", ["def", "async def"])
@pytest.mark.parametrize("code", ENDS)
def test_what_a_session_sees_of_each_end(serve, kind, define, code):
    status, expected = ENDS[code]
    route = f"class Odd(Exception): ...\n{define} GET(db):\n    {code}\n"
    client = serve(SESSIONS[kind], route)
    assert client.get("/api/x").status_code == status
    assert take_log() == expected


@both_kinds
@pytest.mark.parametrize("code", ENDS)
def test_what_a_session_of_a_middleware_sees(serve, kind, code):
    status, expected = ENDS[code]
    if "Error" in expected[1] or "Odd" in expected[1]:
        status = 500
    client = serve(
        {
            "dependencies.py": SESSIONS[kind],
            "middleware.py": """
def middleware(db, call_next):
    response = call_next()
    log(f"got {response.status_code}")
    return response
""",
        },
        f"class Odd(Exception): ...\ndef GET():\n    {code}\n",
    )
    assert client.get("/api/x").status_code == status
    events = take_log()
    # An error that has an answer arrives as that, but the session has failed all the same.
    arrives = status != 500 or "return Response" in code
    assert events == [expected[0], *[f"got {status}"] * arrives, *expected[1:]]


@both_kinds
def test_a_replaced_answer_does_not_hide_the_failure(serve, kind):
    client = serve(
        {
            "dependencies.py": SESSIONS[kind],
            "middleware.py": "def middleware(db, call_next):\n    call_next()\n    return 'mine'",
        },
        "def GET(): abort(409)",
    )
    assert client.get("/api/x").text == "mine"
    assert take_log() == rolled_back("Conflict")


@both_kinds
def test_a_failure_below_reaches_each_link(serve, kind):
    session = SESSIONS[kind]
    client = serve(
        {
            "dependencies.py": session + session.replace("db()", "outer()"),
            "middleware.py": """
def first(outer, call_next): return call_next()
def second(db, call_next): return call_next()
def third(call_next):
    call_next()
    raise Gone()
middleware = [first, second, third]
""",
        },
        "def GET(): abort(409)",
    )
    assert client.get("/api/x").status_code == 410
    # The last one counts: what third raised took the place of the conflict.
    assert take_log() == ["open", "open", *["rollback Gone", "close"] * 2]


@both_kinds
def test_handled_exceptions_roll_back(serve, kind):
    client = serve(
        {
            "dependencies.py": SESSIONS[kind],
            "middleware.py": "def middleware(db, call_next): return call_next()",
        },
        "def GET(): raise LookupError",
    )
    client.application.register_error_handler(LookupError, lambda error: ("handled", 404))
    assert client.get("/api/x").text == "handled"
    assert take_log() == rolled_back("LookupError")


@both_kinds
def test_an_exception_that_middleware_answers_rolls_back_inside(serve, kind):
    client = serve(
        {
            "dependencies.py": SESSIONS[kind],
            "middleware.py": """
def middleware(call_next):
    try:
        return call_next()
    except ZeroDivisionError:
        return "caught"
""",
        },
        "def GET(db): 1 / 0",
    )
    assert client.get("/api/x").text == "caught"
    assert take_log() == rolled_back("ZeroDivisionError")


CORS = """
def cors(call_next):
    response = call_next()
    response.headers["Access-Control-Allow-Origin"] = "*"
    log(f"cors {response.status_code}")
    return response
"""


@both_kinds
@pytest.mark.parametrize("asks", ["handler", "middleware"])
def test_a_commit_that_fails_is_a_response(serve, kind, asks):
    session = SESSIONS[kind].replace('log("commit")', "raise Conflict('Taken.')")
    inner = "def inner(call_next): return call_next()"
    route = "def GET(db): return 'fine'"
    if asks == "middleware":
        inner, route = inner.replace("(call", "(db, call"), route.replace("db", "")
    client = serve(
        {
            "dependencies.py": session,
            "middleware.py": f"{CORS}\n{inner}\nmiddleware = [cors, inner]",
        },
        route,
    )
    response = client.get("/api/x")
    assert (response.status_code, response.json["detail"]) == (409, "Taken.")
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert take_log() == ["open", "rollback Conflict", "close", "cors 409"]


@both_kinds
def test_a_dependency_cannot_swallow_an_error(serve, kind):
    session = SESSIONS[kind].replace("        raise\n", "")
    client = serve(session, "def GET(db): abort(404)")
    assert client.get("/api/x").status_code == 404
    assert take_log() == rolled_back("NotFound")


@both_kinds
def test_an_error_of_a_clean_up_takes_the_place_of_another(serve, kind):
    session = SESSIONS[kind].replace("        raise\n", "        raise Gone() from None\n")
    outer = SESSIONS[kind].replace("def db()", "def outer()")
    client = serve(session + outer, "def GET(outer, db): abort(404)")
    assert client.get("/api/x").status_code == 410
    assert take_log() == ["open", "open", "rollback NotFound", "close", "rollback Gone", "close"]


@both_kinds
def test_each_one_cleans_up_whatever_others_raise(serve, kind):
    code = "\n".join(
        f"{DEFINES[kind]} d{n}():\n    try: yield\n    finally:\n        log({n})\n"
        f"        raise ValueError({n})"
        for n in range(4)
    )
    client = serve(code, "def GET(d0, d1, d2, d3): return ''")
    client.application.testing = True
    with pytest.raises(ValueError, match="0") as caught:
        client.get("/api/x")
    assert take_log() == ["3", "2", "1", "0"]
    chain, error = [], caught.value
    while error is not None:
        chain.append(error.args)
        error = error.__context__
    assert chain == [(0,), (1,), (2,), (3,)]


@both_kinds
@pytest.mark.parametrize("end", ["return ''", "abort(404)"])
def test_a_second_yield_is_an_error(serve, kind, end):
    code = f"""
{DEFINES[kind]} db():
    try:
        yield
    except NotFound:
        pass
    try:
        yield
    finally:
        log("closed")
"""
    client = serve(code, f"def GET(db): {end}")
    client.application.testing = True
    with pytest.raises(RuntimeError) as caught:
        client.get("/api/x")
    assert str(caught.value) == (
        "db in dependencies.py yielded twice. A dependency yields its value once; what follows "
        "the yield cleans up."
    )
    assert take_log() == ["closed"]


@both_kinds
@pytest.mark.parametrize("value", ["Forbidden()", "None", "Response('mine', 400)"])
def test_one_that_yields_no_value_cleans_up(serve, kind, value):
    session = SESSIONS[kind].replace('yield "db"', f"yield {value}")
    client = serve(session, "def GET(db): log('handler'); return ''")
    client.get("/api/x")
    error = {"Forbidden()": "Forbidden", "None": "TypeError"}.get(value, "HTTPException")
    assert take_log() == rolled_back(error)


@both_kinds
@pytest.mark.parametrize("end", ["raise Gone()", "abort(410)", "1 / 0", "return"])
def test_one_that_fails_before_its_yield_has_ended(serve, kind, end):
    code = f"{DEFINES[kind]} bad(db):\n    {end}\n    yield"
    client = serve(SESSIONS[kind] + code, "def GET(bad): log('handler'); return ''")
    assert client.get("/api/x").status_code == (410 if "10" in end or "Gone" in end else 500)
    error = {"1 / 0": "ZeroDivisionError", "return": "RuntimeError"}.get(end, "Gone")
    assert take_log() == rolled_back(error)


@both_kinds
def test_those_that_ran_clean_up_when_another_fails(serve, kind):
    code = SESSIONS[kind] + "def user(db): return Unauthorized()\ndef later(): log('later')"
    client = serve(code, "def GET(user, later): log('handler'); return ''")
    assert client.get("/api/x").status_code == 401
    assert take_log() == rolled_back("Unauthorized")


@both_kinds
@pytest.mark.parametrize("error", ["SystemExit", "KeyboardInterrupt", "GeneratorExit"])
def test_exits_clean_up(serve, kind, error):
    client = serve(SESSIONS[kind], f"def GET(db): raise {error}")
    with pytest.raises(BaseException) as caught:  # noqa: PT011
        client.get("/api/x")
    assert type(caught.value).__name__ == error
    assert take_log() == rolled_back(error)


@both_kinds
def test_a_stop_iteration_of_a_handler_fails(serve, kind):
    client = serve(SESSIONS[kind], "def GET(db): next(iter(()))")
    assert client.get("/api/x").status_code == 500
    assert take_log()[-1] == "close"


@both_kinds
@pytest.mark.parametrize("define", ["def", "async def"])
def test_the_request_can_be_used_while_cleaning_up(serve, kind, define):
    session = SESSIONS[kind].replace('log("close")', 'log(f"close {current.path} {g.name}")')
    route = f"{define} GET(db):\n    g.name = 'mine'\n    return ''"
    serve(session, route).get("/api/x")
    assert take_log() == ["open", "commit", "close /api/x mine"]


@both_kinds
@pytest.mark.parametrize("define", ["def", "async def"])
def test_a_traceback_leads_from_the_handler_to_the_error(serve, kind, define):
    # What is thrown in at the yield comes out as if it had not been there.
    client = serve(SESSIONS[kind] * 1, f"{define} GET(db):\n    1 / 0")
    client.application.testing = True
    with pytest.raises(ZeroDivisionError) as caught:
        client.get("/api/x")
    names = [frame.name for frame in caught.traceback]
    assert names[-1] == "GET"
    assert "db" not in names
    assert not {"_finish", "clean_up", "_finish_async", "clean_up_in_loop"} & set(names)
