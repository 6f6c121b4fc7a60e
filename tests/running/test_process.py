"""The loop and a process: its start, forks, the end, warnings of a development mode."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from flask_routehandlers.running.modes import run_async
from flask_routehandlers.running.process import current_engine
from tests.support import in_child

RunScript = Callable[..., str]


async def ident() -> int:
    return threading.get_ident()


def test_an_app_without_async_code_has_no_loop(run_script: RunScript) -> None:
    script = """
import sys, threading
from flask import Flask
from flask_routehandlers.running.after import after
from flask_routehandlers.running.modes import run_async
app = Flask(__name__)
done = threading.Event()
@app.get("/")
def view():
    after(done.set)
    return "ok"
app.test_client().get("/").close()
assert done.wait(10)
names = [thread.name for thread in threading.enumerate()]
print("asyncio" in sys.modules, "route-handlers-loop" in names)
"""
    assert run_script(script) == "False False\n"


def test_a_child_has_its_own_loop() -> None:
    assert run_async(ident()) == threading.get_ident()
    parents = current_engine()._loop

    def in_its_own() -> bool:
        same_thread = run_async(ident()) == threading.get_ident()
        return same_thread and current_engine()._loop is not parents

    for _ in range(3):
        assert in_child(in_its_own)
    assert run_async(ident()) == threading.get_ident()


def test_a_child_of_a_busy_process_works() -> None:
    stopped = threading.Event()

    def work() -> None:
        while not stopped.is_set():
            run_async(ident())

    thread = threading.Thread(target=work)
    thread.start()
    try:
        for _ in range(10):
            assert in_child(lambda: run_async(ident()) == threading.get_ident())
    finally:
        stopped.set()
        thread.join()


def test_the_loop_keeps_no_context_of_a_request(run_script: RunScript) -> None:
    script = """
import gc, weakref
from contextvars import ContextVar
from flask_routehandlers.running.modes import run_async
class Witness:
    pass
async def work():
    pass
variable = ContextVar("variable")
witness = Witness()
token = variable.set(witness)
run_async(work())
variable.reset(token)
reference = weakref.ref(witness)
del witness, token
gc.collect()
print(reference())
"""
    assert run_script(script) == "None\n"


SEMANTICS = """
import asyncio, threading, warnings
from flask_routehandlers.running.modes import call_sync, run_async
from flask_routehandlers.running.streams import StreamBody
async def add(a, b):
    await asyncio.sleep(0.001)
    return a + b
async def use():
    async with asyncio.timeout(5):
        async with asyncio.TaskGroup() as group:
            one = group.create_task(add(1, 2))
        two = await call_sync(lambda: run_async(add(3, 4)))
        return one.result(), two, await asyncio.to_thread(int, "5")
async def pieces():
    for number in range(3):
        yield await add(number, 0)
print(run_async(use()), list(StreamBody(pieces(), {})))
"""


@pytest.mark.parametrize(
    ("options", "environment"),
    [((), {}), (("-X", "dev"), {}), ((), {"PYTHONASYNCIODEBUG": "1"})],
)
def test_debug_modes_of_python_change_nothing(
    run_script: RunScript, options: tuple[str, ...], environment: dict[str, str]
) -> None:
    output = run_script(SEMANTICS, "-W", "error", *options, **environment)
    assert output == "(3, 7, 5) [0, 1, 2]\n"


def test_tasks_clean_up_at_exit(run_script: RunScript) -> None:
    script = """
import asyncio
from flask_routehandlers.running.modes import run_async
async def work():
    try:
        await asyncio.sleep(60)
    finally:
        await asyncio.sleep(0.01)
        print("cleaned up")
async def numbers():
    try:
        yield 1
    finally:
        print("closed")
async def start():
    global task, generator
    task = asyncio.create_task(work())
    generator = numbers()
    await anext(generator)
run_async(start())
"""
    assert run_script(script, "-X", "dev") == "cleaned up\nclosed\n"


def test_a_task_that_cancels_all_others_does_not_keep_a_process(run_script: RunScript) -> None:
    script = """
import asyncio, atexit, time
# Called last.
atexit.register(lambda: print(time.monotonic() - begun < 5))
from flask_routehandlers.running.modes import run_async
async def supervise():
    try:
        await asyncio.sleep(60)
    finally:
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
async def start():
    global task
    task = asyncio.create_task(supervise())
run_async(start())
begun = time.monotonic()
"""
    assert run_script(script) == "True\n"


def test_a_blocked_loop_does_not_keep_a_process(run_script: RunScript) -> None:
    script = """
import asyncio, threading, time
from flask_routehandlers.running import engine
from flask_routehandlers.running.modes import run_async
engine.CLEAN_UP_SECONDS = -0.9
begun = threading.Event()
async def block():
    begun.set()
    time.sleep(600)
async def start():
    asyncio.create_task(block())
run_async(start())
begun.wait()
print("end", flush=True)
"""
    assert run_script(script) == "end\n"


def test_callbacks_are_drained_before_the_loop_ends(run_script: RunScript) -> None:
    script = """
import asyncio, time
from flask import Flask
from flask_routehandlers.running.after import after
app = Flask(__name__)
async def note(number):
    await asyncio.sleep(0.01)
    # Each needs a thread, and none can start any more.
    loop = asyncio.get_running_loop()
    await asyncio.gather(*(loop.getaddrinfo("localhost", 80) for _ in range(3)))
    print("note", number, flush=True)
def sync_note(number):
    time.sleep(0.01)
    print("note", number, flush=True)
@app.get("/")
def view():
    for number in range(10):
        after(note, number)
        after(sync_note, number)
    return "ok"
app.test_client().get("/").close()
print("end", flush=True)
"""
    lines = run_script(script).split("\n")
    assert lines.count("end") == 1
    assert len(lines) == 22


def test_async_code_after_the_end_is_an_error_or_works(run_script: RunScript) -> None:
    script = """
import atexit
from flask_routehandlers.running.modes import run_async
async def add():
    return 3
@atexit.register
def late():
    try:
        print(run_async(add()))
    except RuntimeError:
        print("refused")
"""
    assert run_script(script) in ("3\n", "refused\n")
