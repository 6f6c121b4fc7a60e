"""The names of exported files: what static hosts serve under the same URL, on any file system."""

from __future__ import annotations

import pytest

from flask_routehandlers.cli.export.file_names import FileNameError, FileNames

JSON, PAGE, FEED, TEXT = "application/json", "text/html", "application/xml", "text/plain"
TABLE = "text/csv; charset=utf-8"


def names(urls):
    """The name of each URL's file, in the order given."""
    taken = FileNames(urls)
    return [taken.take(path, kind) for path, kind in urls.items()]


@pytest.mark.parametrize(
    ("urls", "expected"),
    [
        ({"/api/posts/1": JSON}, ["api/posts/1"]),
        ({"/feed.xml": FEED}, ["feed.xml"]),
        ({"/report.csv": TABLE}, ["report.csv"]),
        ({"/api/tags/C#": JSON, "/api/tags/ärger %": JSON}, ["api/tags/C#", "api/tags/ärger %"]),
        ({"/.well-known/security.txt": TEXT}, [".well-known/security.txt"]),
        # A page has the ending that hosts leave out of URLs.
        ({"/": PAGE}, ["index.html"]),
        ({"/about": PAGE}, ["about.html"]),
        ({"/about": "text/html; charset=utf-8"}, ["about.html"]),
        ({"/about": "TEXT/HTML"}, ["about.html"]),
        ({"/about.html": PAGE}, ["about.html"]),
        ({"/v1.0": PAGE}, ["v1.0.html"]),
        ({"/posts": PAGE, "/posts/1": PAGE}, ["posts.html", "posts/1.html"]),
        # A file and a folder of one name: the index of the folder.
        ({"/api/posts": JSON, "/api/posts/1": JSON}, ["api/posts/index.json", "api/posts/1"]),
        ({"/api/posts/1": JSON, "/api/posts": JSON}, ["api/posts/1", "api/posts/index.json"]),
        ({"/api": JSON, "/api/a/b": JSON}, ["api/index.json", "api/a/b"]),
        ({"/a": FEED, "/a/b": TEXT, "/a/b/c": TABLE, "/a/b/c/d": JSON},
         ["a/index.xml", "a/b/index.txt", "a/b/c/index", "a/b/c/d"]),
        ({"/": JSON}, ["index.json"]),
        # The same beginning is no folder.
        ({"/api/post": JSON, "/api/posts/1": JSON}, ["api/post", "api/posts/1"]),
        # Names that only look special.
        ({"/api/a..b": JSON, "/api/b.": PAGE}, ["api/a..b", "api/b..html"]),
        ({"/x.phpx": JSON, "/py": JSON, "/install.sh": TEXT}, ["x.phpx", "py", "install.sh"]),
        ({"/x.php/about": PAGE}, ["x.php/about.html"]),
        ({"/console": JSON, "/com10": JSON, "/nulls": JSON}, ["console", "com10", "nulls"]),
        ({f"/{'x' * 255}": JSON}, ["x" * 255]),
        ({f"/{'ä' * 127}": JSON}, ["ä" * 127]),
    ],
    ids=lambda value: " ".join(value)[:40],
)  # fmt: skip
def test_the_name_of_the_file(urls, expected):
    assert names(urls) == expected


HIDDEN = "is hidden, as files that configure a server are"
PROGRAM = "is a program to some servers, which would run it"
SETTINGS = "is a file by which hosts are configured"
WINDOWS = "ends with a dot or a space, which Windows removes"
DIFFER = "differ only in letter case or Unicode form, which not every file system distinguishes"


@pytest.mark.parametrize(
    ("urls", "reason"),
    [
        (["/.."], "'..' would be another folder"),
        (["/api/../../etc/passwd"], "'..' would be another folder"),
        (["/api/."], "'.' would be another folder"),
        (["//etc/passwd"], "'' would be another folder"),
        (["/api/"], "'' would be another folder"),
        (["/api//x"], "'' would be another folder"),
        (["/a\0b"], r"'a\x00b' has '\x00', which a file name cannot have"),
        (["/a\nb"], r"'a\nb' has '\n', which a file name cannot have"),
        (["/..\\..\\x"], r"'..\\..\\x' has '\\', which a file name cannot have"),
        (["/C:"], "'C:' has ':', which a file name cannot have"),
        (["/a?b"], "'a?b' has '?', which a file name cannot have"),
        (["/\ud800"], r"'\ud800' has '\ud800', which a file name cannot have"),
        (["/a."], f"'a.' {WINDOWS}"),
        (["/..."], f"'...' {WINDOWS}"),
        (["/a "], f"'a ' {WINDOWS}"),
        (["/a./b"], f"'a.' {WINDOWS}"),
        (["/con"], "'con' is a device on Windows"),
        (["/NUL.txt"], "'NUL.txt' is a device on Windows"),
        (["/com1.tar.gz"], "'com1.tar.gz' is a device on Windows"),
        (["/LPT¹"], "'LPT¹' is a device on Windows"),
        (["/aux/x"], "'aux' is a device on Windows"),
        ([f"/{'x' * 256}"], f"'{'x' * 40}...' has 256 bytes, and a file name at most 255"),
        ([f"/{'x' * 300}"], f"'{'x' * 40}...' has 300 bytes, and a file name at most 255"),
        ([f"/{'ä' * 128}"], f"'{'ä' * 40}...' has 256 bytes, and a file name at most 255"),
        (["/" + "/".join(["xy" * 100] * 6)],
         f"'{'xy' * 20}...' has 1205 bytes, and a path at most 1024"),
        (["/Tags", "/tags"], f"tags and Tags {DIFFER}"),
        (["/tags/A", "/tags/a"], f"tags/a and tags/A {DIFFER}"),
        (["/Tags/1", "/tags/2"], f"tags and Tags {DIFFER}"),
        (["/Tags", "/tags/2"], f"tags and Tags {DIFFER}"),
        (["/é", "/e\u0301"], f"e\u0301 and é {DIFFER}"),
        (["/ß", "/SS"], f"SS and ß {DIFFER}"),
        (["/.htaccess"], f"'.htaccess' {HIDDEN}"),
        (["/api/.user.ini"], f"'.user.ini' {HIDDEN}"),
        (["/api/..a"], f"'..a' {HIDDEN}"),
        (["/.git/config"], f"'.git' {HIDDEN}"),
        (["/x.php"], f"x.php {PROGRAM}"),
        (["/tags/X.PHP5"], f"tags/X.PHP5 {PROGRAM}"),
        (["/tags/route.py"], f"tags/route.py {PROGRAM}"),
        (["/cgi-bin/x.cgi"], f"cgi-bin/x.cgi {PROGRAM}"),
        (["/x.aspx"], f"x.aspx {PROGRAM}"),
        (["/x.php.en"], f"x.php.en {PROGRAM}"),
        (["/x.jsp"], f"x.jsp {PROGRAM}"),
        (["/_redirects"], f"'_redirects' {SETTINGS}"),
        (["/_headers"], f"'_headers' {SETTINGS}"),
        (["/CNAME"], f"'CNAME' {SETTINGS}"),
        (["/a/Web.Config"], f"'Web.Config' {SETTINGS}"),
        (["/manifest.json"], "manifest.json is the list of all files"),
        (["/Manifest.json"], f"Manifest.json and manifest.json {DIFFER}"),
        (["/manifest.json/x"], "manifest.json is the list of all files"),
        (["/a", "/a/b", "/a/index.json"], "a/index.json is the file of /a"),
        (["/a/index.json", "/a"], "a/index.json is the file of /a/index.json"),
        (["/a", "/a/index.json/b"], "a/index.json is the file of /a"),
        (["/a/index.json/b", "/a"], "a/index.json is a folder"),
    ],
    ids=lambda value: ascii(" ".join(value))[:40] if isinstance(value, list) else "",
)  # fmt: skip
def test_a_url_that_cannot_be_a_file_is_refused(urls, reason):
    with pytest.raises(FileNameError) as caught:
        names(dict.fromkeys(urls, JSON))
    assert str(caught.value) == reason


def test_a_page_with_the_ending_of_a_program():
    with pytest.raises(FileNameError) as caught:
        names({"/tags/x.php": PAGE})
    assert str(caught.value) == f"tags/x.php.html {PROGRAM}"


@pytest.mark.parametrize("ending", ["html", "HTM", "xhtml", "svg", "xml"])
def test_only_pages_have_the_endings_of_pages(ending):
    with pytest.raises(FileNameError) as caught:
        names({f"/tags/x.{ending}": "application/json"})
    assert str(caught.value) == (
        f"tags/x.{ending} has the ending of a page, and a host would serve application/json as one"
    )
    for kind in ("image/svg+xml", "application/xml; charset=utf-8"):
        assert names({f"/tags/x.{ending}": kind}) == [f"tags/x.{ending}"]


def test_the_ending_of_a_page_can_be_too_long():
    assert names({f"/{'x' * 250}": PAGE}) == [f"{'x' * 250}.html"]
    with pytest.raises(FileNameError, match="has 256 bytes"):
        names({f"/{'x' * 251}": PAGE})


@pytest.mark.parametrize("urls", [["/about", "/about.html"], ["/about.html", "/about"]], ids=str)
def test_two_pages_cannot_have_one_file(urls):
    with pytest.raises(FileNameError, match=f"^about.html is the file of {urls[0]}$"):
        names(dict.fromkeys(urls, PAGE))
