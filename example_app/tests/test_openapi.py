"""The document of the API, and its page."""

from __future__ import annotations

import pytest


@pytest.fixture
def document(client):
    return client.get("/api/openapi.json").json


def test_the_document_has_every_url(app, document):
    rules = {
        rule.rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("api.")
    } - {"/api/docs", "/api/docs/<path:asset>", "/api/openapi.json"}
    assert len(document["paths"]) == len(rules)
    assert document["info"]["title"] == "Bookmarks"


def test_the_document_says_what_is_refused(document):
    post = document["paths"]["/api/bookmarks"]["post"]
    assert {"201", "400", "409", "413", "415", "422"} <= post["responses"].keys()


def test_the_page_shows_the_document(client):
    response = client.get("/api/docs")
    assert response.status_code == 200
    assert "<title>Bookmarks</title>" in response.text
    with client.get("/api/docs/swagger-ui.css") as response:
        assert response.mimetype == "text/css"
