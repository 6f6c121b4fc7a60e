"""Take the picture of the page of the example's API: ``python docs/photograph.py``.

It becomes ``docs/pictures/openapi.png``, and needs Chromium (``apt-get install chromium``).
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
sys.path.insert(0, str(REPOSITORY))

from example_app import create_app  # noqa: E402
from tests.browser import browser  # noqa: E402
from tests.support import running  # noqa: E402

PICTURE = REPOSITORY / "docs/pictures/openapi.png"

#: The operation that is open in the picture.
OPERATION = "getBookmarksById"


def take_picture(file: Path) -> None:
    """Write the picture to a file."""
    with tempfile.TemporaryDirectory() as folder:
        app = create_app({"DATABASE": f"{folder}/bookmarks.sqlite"})
        with running(app) as port, browser() as page:
            page.send(
                "Emulation.setDeviceMetricsOverride",
                width=1000,
                height=1010,
                deviceScaleFactor=1,
                mobile=False,
            )
            page.open(f"http://127.0.0.1:{port}/api/docs")
            page.click(f"#operations-bookmarks-{OPERATION} .opblock-summary-control")
            page.wait_for("document.querySelector('.responses-table') !== null")
            page.evaluate("document.querySelector('#operations-tag-bookmarks').scrollIntoView()")
            # Nothing has the focus, and what is animated has ended.
            page.evaluate("document.activeElement.blur()")
            page.wait_for("document.getAnimations().every(each => each.playState === 'finished')")
            page.take_picture(file)


if __name__ == "__main__":
    take_picture(PICTURE)
    print(f"{PICTURE}: {PICTURE.stat().st_size} bytes")
