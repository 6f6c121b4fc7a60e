"""An app that servers run in tests: async views, streams and callbacks."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncGenerator
from typing import Any

from flask import Flask, Response, request, stream_with_context

from flask_routehandlers.running.after import after
from flask_routehandlers.running.modes import run_async
from flask_routehandlers.running.streams import StreamBody

app = Flask(__name__)

# Without it SIGTERM ends some servers before Python can do anything.
if os.environ.get("EXIT_ON_SIGTERM"):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))


def note(event: str) -> None:
    with open(os.environ["NOTES"], "a", encoding="utf-8") as file:
        file.write(f"{event}\n")


@app.get("/")
def index() -> str:
    return f"ok {os.getpid()}"


@app.get("/loop")
def loop() -> dict[str, Any]:
    async def identity() -> int:
        await asyncio.sleep(0.001)
        return id(asyncio.get_running_loop())

    return {"loop": run_async(identity()), "process": os.getpid()}


@app.get("/wait")
def wait() -> str:
    note("waiting")
    run_async(asyncio.sleep(1))
    return "waited"


@app.get("/task")
def task() -> str:
    async def work() -> None:
        try:
            await asyncio.sleep(600)
        finally:
            await asyncio.sleep(0.01)
            note("task cleaned up")

    async def start() -> None:
        app.extensions["task"] = asyncio.create_task(work())

    run_async(start())
    return "started"


@app.get("/after")
def callbacks() -> str:
    async def callback(number: int) -> None:
        await asyncio.sleep(0.05)
        note(f"callback {number}")

    def sync_callback(number: int) -> None:
        time.sleep(0.05)
        note(f"callback {number}")

    for number in range(0, 20, 2):
        after(callback, number)
        after(sync_callback, number + 1)
    return "ok"


@app.get("/stream")
def pieces() -> Response:
    async def generate() -> AsyncGenerator[str, None]:
        try:
            for number in range(int(request.args["count"])):
                yield f"{number}\n"
            if "idle" in request.args:
                await asyncio.sleep(600)
        finally:
            await asyncio.sleep(0.01)
            note("stream cleaned up")

    return Response(stream_with_context(StreamBody(generate(), request.environ)))
