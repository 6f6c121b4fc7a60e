"""The feed and the page."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

ATOM = {"": "http://www.w3.org/2005/Atom"}


def test_the_feed_is_atom(client, add):
    add("https://example.com/a?b=1&c=2", title="<A> & B", notes="one\ntwo", tags=["x", "y"])
    response = client.get("/api/feed.xml")
    assert response.mimetype == "application/atom+xml"
    feed = ElementTree.fromstring(response.data)
    [entry] = feed.findall("entry", ATOM)
    assert entry.findtext("id", namespaces=ATOM) == "tag:example.com,2025:bookmarks/1"
    assert entry.findtext("title", namespaces=ATOM) == "<A> & B"
    assert entry.find("link", ATOM).get("href") == "https://example.com/a?b=1&c=2"
    assert entry.findtext("summary", namespaces=ATOM) == "one\ntwo"
    assert [tag.get("term") for tag in entry.findall("category", ATOM)] == ["x", "y"]
    updated = client.get("/api/bookmarks/1").json["updated"]
    for element in (feed, entry):
        assert element.findtext("updated", namespaces=ATOM) == updated


def test_a_feed_without_entries_is_complete(client):
    feed = ElementTree.fromstring(client.get("/api/feed.xml").data)
    for name in ("id", "title", "updated", "author/name"):
        assert feed.findtext(name, namespaces=ATOM)


def test_a_tag_has_a_feed_of_its_own(client, add):
    add("https://example.com/a", tags=["x"])
    add("https://example.com/b", tags=["y"])
    feed = ElementTree.fromstring(client.get("/api/feeds/X.xml").data)
    assert feed.find("link[@rel='self']", ATOM).get("href") == "/api/feeds/x.xml"
    whole = ElementTree.fromstring(client.get("/api/feed.xml").data)
    assert feed.findtext("id", namespaces=ATOM) != whole.findtext("id", namespaces=ATOM)
    assert [link.get("href") for link in feed.findall("entry/link", ATOM)] == [
        "https://example.com/a"
    ]


def test_an_unchanged_feed_is_not_sent_again(client, add):
    etag = client.get("/api/feed.xml").headers["ETag"]
    assert client.get("/api/feed.xml", headers={"If-None-Match": etag}).status_code == 304
    add("https://example.com/a")
    assert client.get("/api/feed.xml", headers={"If-None-Match": etag}).status_code == 200


def test_an_unknown_tag_has_no_feed(client):
    assert client.get("/api/feeds/unknown.xml").status_code == 404


def test_a_page_of_one_tag_leads_to_its_feed(client, add):
    add("https://example.com/a", tags=["x", "y"])
    assert 'href="/api/feeds/x.xml"' in client.get("/api/browse/x").text
    assert 'href="/api/feed.xml"' in client.get("/api/browse/x/y").text
    assert 'href="/api/feed.xml"' in client.get("/api/browse").text


def test_the_page_escapes_what_clients_wrote(client, add):
    add('https://example.com/"onclick="x', title="<script>", notes="<b>&", tags=["x"])
    page = client.get('/api/browse?q="><script>').text
    assert "<script>" not in page
    assert 'value="&#34;&gt;&lt;script&gt;"' in page
    page = client.get("/api/browse").text
    assert "&lt;script&gt;" in page
    assert "&lt;b&gt;&amp;" in page
    assert "<script>" not in page
    assert '"onclick' not in page


def test_the_page_filters_by_the_tags_of_its_path(client, add):
    add("https://example.com/a", title="Only x", tags=["x"])
    add("https://example.com/b", title="Both", tags=["x", "c#"])
    assert "Only x" in client.get("/api/browse").text
    page = client.get("/api/browse/X/c%23").text
    assert "Both" in page
    assert "Only x" not in page
    assert 'href="/api/browse/x"' in page  # without c#
    assert "Nothing here" in client.get("/api/browse/x?q=zzz").text


def test_the_page_leads_to_older_bookmarks(client, add):
    for number in range(3):
        add(f"https://example.com/{number}", tags=["x"])
    assert 'href="/api/browse/x?limit=2&amp;before=2"' in client.get("/api/browse/x?limit=2").text
    assert "before=" not in client.get("/api/browse/x?limit=3").text


# The full-width dot and slash are a dot and a slash in the form in which tags are compared.
@pytest.mark.parametrize("tag", ["unknown", "%EF%BC%8E", "a%EF%BC%8Fb", "%C3%A9"])
def test_the_page_of_an_unknown_tag_is_not_found(client, tag):
    assert client.get(f"/api/browse/{tag}").status_code == 404
