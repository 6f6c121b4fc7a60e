"""Many threads: each request has its own values, and each session is ended once."""

from __future__ import annotations

import random
import threading
from collections import Counter

import pytest

from flask_routehandlers.testing import override
from tests.dependencies.support import take_log

SESSIONS = """
import itertools
_numbers = itertools.count()

{define} db():
    number = next(_numbers)
    log(f"open {number}")
    try:
        yield number
        log(f"commit {number}")
    except BaseException:
        log(f"rollback {number}")
        raise
"""

CODE = """
def name(word: Query[str], db): return [word, db]
def other(name): return name
"""

MIDDLEWARE = """
def middleware(db, other, call_next):
    response = call_next()
    response.headers["Seen"] = f"{db} {other}"
    return response
"""

ROUTE = """
{define} GET(other, name, db, word: Query[str]):
    if word.endswith("7"): abort(409)
    return [word, name, db, other is name]

{define} POST(db):
    for _ in range(3):
        yield f"{db} "
"""


@pytest.fixture(params=["def", "async def"])
def client(request, serve):
    define = request.param
    sessions = SESSIONS.replace("{define}", define)
    return serve(
        {
            "dependencies.py": sessions + CODE,
            "x/route.py": ROUTE.replace("{define}", define),
            "m/middleware.py": MIDDLEWARE,
            "m/x/route.py": ROUTE.replace("{define}", "def"),
        }
    )


def check(client, threads: int, requests: int) -> None:
    app = client.application
    faults: list[object] = []
    barrier = threading.Barrier(threads)

    def work(thread: int) -> None:
        rng = random.Random(thread)
        mine = app.test_client()
        barrier.wait()
        for number in range(requests):
            word = f"{thread}-{number}"
            path = rng.choice(["/api/x", "/api/m/x"])
            if rng.random() < 0.3:
                answer = mine.post(path, query_string={"word": word}).text.split()
                if len(answer) != 3 or len(set(answer)) != 1:
                    faults.append(answer)
                continue
            response = mine.get(path, query_string={"word": word})
            if word.endswith("7"):
                faults.extend([response] * (response.status_code != 409))
                continue
            [sent, [named, db], own, is_same] = response.json
            if (sent, named, own, is_same) != (word, word, db, True):
                faults.append(response.json)
            if "m" in path and response.headers["Seen"] != f"{db} [{word!r}, {db}]":
                faults.append(response.headers["Seen"])

    workers = [threading.Thread(target=work, args=(n,)) for n in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert faults == []
    events = Counter(take_log())
    assert len(events) == 2 * threads * requests
    assert set(events.values()) == {1}
    ended = Counter(event.split()[0] for event in events)
    assert ended["open"] == ended["commit"] + ended["rollback"] == threads * requests


def test_64_threads_share_nothing(client):
    check(client, 64, 3)


@pytest.mark.ci
def test_64_threads_share_nothing_for_long(client):
    check(client, 64, 60)


def test_requests_go_on_while_others_override(serve):
    client = serve(
        {
            "dependencies.py": "def a(): return 1\ndef b(a): return [a, a]",
            "middleware.py": "def middleware(a, call_next): return call_next()",
        },
        "def GET(b, a): return [*b, a]",
    )
    app = client.application
    answers: Counter[str] = Counter()
    ended = threading.Event()

    def ask() -> None:
        mine = app.test_client()
        while not ended.is_set():
            answers[mine.get("/api/x").text.strip()] += 1

    workers = [threading.Thread(target=ask) for _ in range(4)]
    for worker in workers:
        worker.start()
    for _ in range(200):
        with override(app, a=lambda: 2, b=lambda a: [a, a]):
            pass
    ended.set()
    for worker in workers:
        worker.join()
    assert set(answers) <= {"[1,1,1]", "[2,2,2]", "[2,2,1]", "[1,1,2]"}
    assert client.get("/api/x").json == [1, 1, 1]
