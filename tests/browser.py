"""A headless Chromium for a test, which reaches nothing but this machine."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import selectors
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

#: How long a page may take, on a machine that does other things too.
TIMEOUT = 120.0

_OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--remote-debugging-pipe",
    "--window-size=1280,1000",
)


class Browser:
    """A page in a browser, driven by the DevTools protocol.

    :param program: the path of Chromium.
    :param profile: an empty folder.
    """

    def __init__(self, program: str, profile: str) -> None:
        to_browser, self._writes = os.pipe()
        self._reads, from_browser = os.pipe()
        # Chromium reads from descriptor 3 and writes to 4.
        ends = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (to_browser, from_browser)]

        def connect() -> None:
            os.dup2(ends[0], 3)
            os.dup2(ends[1], 4)

        self._process = subprocess.Popen(
            [program, *_OPTIONS, f"--user-data-dir={profile}"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(3, 4, *ends),
            preexec_fn=connect,
        )
        for end in (to_browser, from_browser, *ends):
            os.close(end)
        self._number = 0
        self._session: str | None = None
        self._buffer = b""
        #: What the browser has reported, oldest first.
        self.events: list[dict[str, Any]] = []
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        attached = self.send("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Log", "Network", "Page", "Runtime"):
            self.send(f"{domain}.enable")

    def close(self) -> None:
        os.close(self._writes)
        os.close(self._reads)
        self._process.kill()
        self._process.wait()

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method of the protocol, and return its result."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._writes, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer["error"]
                result: dict[str, Any] = answer["result"]
                return result
            self.events.append(answer)

    def _receive(self) -> dict[str, Any]:
        deadline = time.monotonic() + TIMEOUT
        while b"\0" not in self._buffer:
            with selectors.DefaultSelector() as selector:
                selector.register(self._reads, selectors.EVENT_READ)
                assert selector.select(deadline - time.monotonic()), "the browser does not answer"
            data = os.read(self._reads, 65536)
            assert data, "the browser has ended"
            self._buffer += data
        message, _, self._buffer = self._buffer.partition(b"\0")
        answer: dict[str, Any] = json.loads(message)
        return answer

    def open(self, url: str) -> None:
        """Load a page, and forget what was reported before."""
        self.events.clear()
        self.send("Page.navigate", url=url)

    def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression in the page."""
        result = self.send("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def wait_for(self, expression: str) -> Any:
        """Wait until a JavaScript expression has a value that is true, and return it."""
        deadline = time.monotonic() + TIMEOUT
        while not (value := self.evaluate(expression)):
            assert time.monotonic() < deadline, f"not true: {expression}\n{self.messages()}"
            time.sleep(0.02)
        return value

    def click(self, selector: str) -> None:
        """Click the first element that a CSS selector finds, once there is one."""
        self.wait_for(f"(e => e && (e.click(), true))(document.querySelector({selector!r}))")

    def type(self, selector: str, text: str) -> None:
        """Write into the first input that a CSS selector finds."""
        self.wait_for(f"(e => e && (e.focus(), true))(document.querySelector({selector!r}))")
        self.send("Input.insertText", text=text)
        self.evaluate("document.activeElement.blur()")  # Swagger UI waits for more until then

    def messages(self) -> list[Any]:
        """Return what the page has written to the console, errors of the network included."""
        kinds = ("Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown")
        return [event["params"] for event in self.events if event["method"] in kinds]

    def requests(self) -> list[str]:
        """Return the URLs that the page has requested."""
        return [
            event["params"]["request"]["url"]
            for event in self.events
            if event["method"] == "Network.requestWillBeSent"
        ]

    def take_picture(self, file: Path) -> None:
        """Write what the window shows to a PNG file."""
        picture = self.send("Page.captureScreenshot", format="png")
        file.write_bytes(base64.b64decode(picture["data"]))


@contextmanager
def browser() -> Iterator[Browser]:
    """A browser for as long as the block lasts; the test is skipped where there is none."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no chromium: apt-get install chromium")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        page = Browser(program, profile)
        try:
            yield page
        finally:
            page.close()
