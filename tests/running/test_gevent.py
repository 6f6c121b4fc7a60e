"""Below gevent: greenlets of one thread wait for a loop in another thread."""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytest.importorskip("gevent")

HEAD = """
from gevent import monkey
monkey.patch_all()
import asyncio, gevent, threading, time
from flask_routehandlers.running.modes import call_sync, run_async
from flask_routehandlers.running.process import current_engine
from flask_routehandlers.running.streams import StreamBody
native = monkey.get_original("_thread", "get_ident")
"""

SCRIPTS = {
    "threads": """
async def thread():
    return native(), await call_sync(native), await asyncio.to_thread(native)
loop, request, other = run_async(thread())
print(len({loop, request, other}), request == native())
""",
    "overlap": """
async def wait(number):
    await asyncio.sleep(0.3)
    return number
begin = time.monotonic()
greenlets = [gevent.spawn(run_async, wait(number)) for number in range(50)]
gevent.joinall(greenlets)
print(sum(greenlet.get() for greenlet in greenlets), time.monotonic() - begin < 10)
""",
    "blocking": """
# What blocks in a greenlet lets other greenlets run.
async def wait():
    await call_sync(time.sleep, 0.05)
    return await asyncio.to_thread(time.sleep, 0.05)
ticks = []
def tick():
    while not ended:
        ticks.append(1)
        gevent.sleep(0.001)
ended = []
greenlet = gevent.spawn(tick)
run_async(wait())
ended.append(1)
greenlet.join()
print(len(ticks) > 2, True)
""",
    "stream": """
async def pieces():
    for number in range(3):
        async with asyncio.timeout(5):
            yield number
            await asyncio.sleep(0)
body = StreamBody(pieces(), {})
print(list(body), list(body))
""",
    "nested": """
async def inner():
    await asyncio.sleep(0.001)
    return 5
async def outer():
    return await call_sync(lambda: run_async(inner())), await asyncio.create_task(inner())
print(*run_async(outer()))
# Nothing keeps the hub from ending.
gevent.wait()
""",
    "callbacks": """
from flask import Flask
from flask_routehandlers.running.after import after
app = Flask(__name__)
async def note(number):
    await asyncio.sleep(0.01)
    print(number, end=" ", flush=True)
@app.get("/")
def view():
    for number in range(2):
        after(note, number)
    return "ok"
app.test_client().get("/").close()
""",
}

RESULTS = {
    "threads": "3 True",
    "overlap": "1225 True",
    "blocking": "True True",
    "stream": "[0, 1, 2] []",
    "nested": "5 5",
    "callbacks": "0 1",
}


PLAIN = ["overlap", "nested"]
SLOW = [pytest.param(name, marks=pytest.mark.ci) for name in SCRIPTS if name not in PLAIN]


@pytest.mark.parametrize("name", [*PLAIN, *SLOW])
def test_greenlets_run_async_code(run_script: Callable[..., str], name: str) -> None:
    output = run_script(HEAD + SCRIPTS[name])
    assert output.strip() == RESULTS[name]
