import pytest


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/posts/1", '{"id":1,"title":"One"}\n'),
        ("/files/a/b", "a\nb\n"),
        ("/sitemap.xml", "<urlset/>"),
        ("/.well-known/security.txt", "Contact: mailto:security@example.com\n"),
    ],
)
def test_pages(client, path, text):
    assert client.get(path).text == text


def test_statistics_need_the_key(client):
    assert client.get("/stats").status_code == 403
    assert client.get("/stats", headers={"X-Key": "open sesame"}).json == {"visits": 3}
