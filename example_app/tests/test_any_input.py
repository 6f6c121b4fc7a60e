"""No input of a client causes a server error."""

from __future__ import annotations

import hashlib
import hmac
import json
from urllib.parse import quote, quote_from_bytes

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

# In a test app an exception does not become a 500: the client raises it.
few = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

text = st.text(st.characters(exclude_categories=()))
numbers = st.integers() | st.sampled_from([2**63 - 1, 2**63, -(2**63), 10**30])
values = st.recursive(
    st.none() | st.booleans() | numbers | st.floats() | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=8,
)
urls = st.builds(
    "{}://{}{}/{}".format, st.sampled_from(["http", "HTTPS", "ftp"]), text, text, text
) | st.sampled_from(["https://example.com", "http://[::1]:0/", "http://u:p@a/"])
bodies = (
    st.fixed_dictionaries(
        {"url": urls},
        optional={"title": text | values, "notes": text, "tags": st.lists(text) | values},
    )
    | st.fixed_dictionaries({"name": text | values})
    | values
)
bodies |= st.fixed_dictionaries({"bookmarks": st.lists(bodies, max_size=3)})
raw = bodies.map(lambda body: json.dumps(body).encode()) | st.binary()
types = st.sampled_from(["application/json", "application/json", "text/plain", ""])


@few
@given(body=raw, content_type=types, number=numbers)
def test_no_body_causes_a_server_error(client, body, content_type, number):
    secret = b"a secret for tests"
    signature = "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()
    for method, url in [
        ("POST", "/api/bookmarks"),
        ("POST", "/api/webhook"),
        ("POST", "/api/import"),
        ("PATCH", "/api/bookmarks/1"),
        ("PATCH", f"/api/bookmarks/{number}"),
        ("PATCH", "/api/tags/x"),
    ]:
        response = client.open(
            url,
            method=method,
            data=body,
            content_type=content_type,
            headers={"X-Signature": signature, "Authorization": "Bearer token-for-tests"},
        )
        assert response.status_code < 500
        if response.status_code >= 400:
            assert response.json["detail"]
    for url in ("/api/bookmarks", "/api/tags", "/api/browse", "/api/feed.xml", "/api/about"):
        assert client.get(url).status_code == 200


names = st.sampled_from(["tag", "q", "limit", "before", "_external", "_scheme", "endpoint"])
queries = st.lists(
    st.tuples(
        names | text.map(lambda name: quote(name, errors="replace")),
        st.binary().map(quote_from_bytes) | numbers.map(str),
    ),
    max_size=4,
).map(lambda pairs: "&".join(f"{name}={value}" for name, value in pairs))
segments = st.binary(min_size=1).map(quote_from_bytes) | text.filter(bool).map(
    lambda segment: quote(segment, safe="", errors="replace")
)


@few
@given(query=queries, one=segments, two=segments, number=numbers, header=numbers.map(str) | text)
def test_no_url_or_header_causes_a_server_error(client, query, one, two, number, header):
    # As a server gives it: bytes as latin-1.
    sent = header.encode(errors="replace").decode("latin-1").translate({10: 32, 13: 32})
    headers = dict.fromkeys(("Last-Event-ID", "X-Request-ID", "Origin", "X-Signature"), sent)
    for path in (
        "",
        "/bookmarks",
        f"/bookmarks/{number}",
        f"/bookmarks/export-{number}.csv",
        "/search",
        f"/sites/{one}/{two}",
        "/tags",
        f"/tags/{one}",
        f"/browse/{one}/{two}",
        "/feed.xml",
        f"/feeds/{one}.xml",
        "/about",
        "/events",
        "/backup",
        "/webhook",
        f"/{one}/{two}",
    ):
        response = client.get(
            f"/api{path}?{query}",
            headers=headers | {"Authorization": f"Bearer {sent}"},
            buffered=True,
        )
        assert response.status_code < 500, path
