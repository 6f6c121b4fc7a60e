"""The page in a real browser without a network."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator

import pytest
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.wrappers import Response

from tests.browser import TIMEOUT, Browser, browser
from tests.openapi.support import PAGE, PAGE_FILE, documented
from tests.pages import DOCS
from tests.support import running, until

pytestmark = pytest.mark.ci

ITEMS = """
class Item(BaseModel):
    name: str
    size: int
def GET(name: Query[str], size: Query[int] = 3) -> Item:
    "Show an item."
    return Item(name=name, size=size)
def POST(token: Bearer) -> dict[str, str]:
    "Say who asks."
    return {"token": token}
"""

FILES = {PAGE_FILE: PAGE, "items/route.py": ITEMS}

STATUS = (
    "document.querySelector('.live-responses-table .response .response-col_status')?.innerText"
)
BODY = "document.querySelector('.live-responses-table .highlight-code')?.innerText"


@pytest.fixture(scope="module")
def page() -> Iterator[Browser]:
    with browser() as page:
        yield page


def show(page: Browser, url: str) -> None:
    page.open(url)
    page.wait_for("document.querySelector('.opblock') !== null")


def send_get(page: Browser) -> str:
    """Try the GET that is shown; return the body of its response."""
    page.click(".opblock-get .opblock-summary-control")
    page.click(".opblock-get .try-out__btn")
    page.type(".opblock-get input[placeholder=name]", "a chair")
    page.click(".opblock-get .execute")
    assert page.wait_for(STATUS).startswith("200")
    body: str = page.wait_for(BODY)
    return body


def check(page: Browser, origin: str) -> None:
    assert page.messages() == []
    urls = [url for url in page.requests() if not url.startswith("data:")]
    assert len(urls) >= 5
    assert [url for url in urls if not url.startswith(origin)] == []


def test_a_request_can_be_tried(page, tmp_path):
    with running(documented(tmp_path, FILES)) as port:
        origin = f"http://127.0.0.1:{port}/"
        show(page, f"{origin}api/docs")
        assert '"name": "a chair"' in send_get(page)
        assert f"{origin}api/items?name=a%20chair&size=3" in page.requests()
        check(page, origin)


def test_a_token_can_be_sent(page, tmp_path):
    with running(documented(tmp_path, FILES)) as port:
        show(page, f"http://127.0.0.1:{port}/api/docs")
        page.click(".btn.authorize")
        page.type("#auth-bearer-value", "secret-token")
        page.click(".modal-btn.authorize")
        page.click(".modal-btn.btn-done")
        page.click(".opblock-post .opblock-summary-control")
        page.click(".opblock-post .try-out__btn")
        page.click(".opblock-post .execute")
        assert '"token": "secret-token"' in page.wait_for(BODY)
        check(page, f"http://127.0.0.1:{port}/")


def test_the_page_works_below_a_script_name(page, tmp_path):
    below = DispatcherMiddleware(
        Response("elsewhere", status=404), {"/a/shop": documented(tmp_path, FILES)}
    )
    with running(below) as port:
        origin = f"http://127.0.0.1:{port}/a/shop/"
        show(page, f"{origin}api/docs")
        assert '"size": 3' in send_get(page)
        check(page, origin)


GUARD = """
def middleware(call_next, key: Annotated[str, Scheme(cookie="key")]):
    return call_next() if key == "right" else current_app.response_class(status=403)
"""


def test_the_page_works_behind_middleware(page, tmp_path):
    with running(documented(tmp_path, {**FILES, "middleware.py": GUARD})) as port:
        origin = f"http://127.0.0.1:{port}/"
        page.send("Network.setCookie", name="key", value="right", url=origin)
        show(page, f"{origin}api/docs")
        assert '"size": 3' in send_get(page)
        check(page, origin)
        page.send("Network.clearBrowserCookies")


def test_a_violation_of_the_policy_is_a_message(page, tmp_path):
    """The other tests would fail if the page did what its policy forbids."""
    with running(documented(tmp_path, FILES)) as port:
        show(page, f"http://127.0.0.1:{port}/api/docs")
        assert page.messages() == []
        page.evaluate("fetch('http://127.0.0.2/').catch(() => 0)")
        assert until(lambda: page.evaluate("true") and page.messages(), TIMEOUT)
        assert "connect-src" in str(page.messages())


def test_the_picture_of_the_page_can_be_taken(tmp_path):
    spec = importlib.util.spec_from_file_location("docs_photograph", DOCS / "photograph.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.take_picture(tmp_path / "picture.png")
    for file in (tmp_path / "picture.png", module.PICTURE):
        picture = file.read_bytes()
        assert picture.startswith(b"\x89PNG")
        assert 20_000 < len(picture) < 300_000
