"""Name the files of an export so that a static host serves them under their URLs.

A URL can be a file only if its name means the same on each file system and to each host: an export
that is made on Linux may be unpacked on Windows or macOS, or copied to a server that runs
``.php``. So names are refused that lead elsewhere, that two systems read differently, or that a
server or a browser would execute.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

#: The file that lists an export, with what a file name cannot express: status and headers.
MANIFEST = "manifest.json"

#: The endings by which hosts know a content type.
_ENDINGS = {
    "text/html": ".html",
    "application/json": ".json",
    "application/xml": ".xml",
    "text/plain": ".txt",
}

#: Files in which browsers run scripts, by ending and by content type.
_ACTIVE_ENDING = re.compile(r"\.(?:[sx]?html?|xht|svgz?|xml|xsl)\Z", re.I)
_ACTIVE_TYPE = re.compile(r"text/html|text/xml|application/xml|.*\+xml")

#: Files that servers run, and files that change how a host serves the others. Apache looks at each
#: ending of a name: it can run x.php.html.
_PROGRAM = re.compile(
    r"\.(?:php\d?|pht|phtml|phar|f?cgi|pl|py[cw]?|as[hmp]x?|jspx?|cfm|shtml?|stm)(?=\.|\Z)",
    re.I,
)
_SETTINGS = frozenset({"web.config", "_headers", "_redirects", "_worker.js", "cname"})

#: The longest name that common file systems take, and the longest key of S3, in bytes.
_LONGEST_NAME = 255
_LONGEST_PATH = 1024

_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f<>:"|?*\\\ud800-\udfff]')

#: What no file or folder is named, as patterns of whole names, and why.
_REFUSED = {
    r"\.{0,2}": "would be another folder",
    r".*[. ]": "ends with a dot or a space, which Windows removes",
    r"(?i:CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(?:COM|LPT)[0-9¹²³]) *(?:\..*)?": (
        "is a device on Windows"
    ),
    r"\.(?!well-known\Z).*": "is hidden, as files that configure a server are",
}


class FileNameError(ValueError):
    """A URL cannot be a file of the export, for the reason that the message gives."""


class FileNames:
    """The file names of one export, different from each other on any file system.

    A URL's path is the name of its file: ``/api/posts/1`` is ``api/posts/1``. There are two
    exceptions:

    - A page, ``text/html``, has the ending that hosts leave out of URLs: ``/about`` is
      ``about.html``, and ``/`` is ``index.html``.
    - A URL that has others below it would be a file and a folder of one name. It is the index of
      the folder, with the ending of its content type if that is a common one: ``/api/posts`` is
      ``api/posts/index.json`` next to ``api/posts/1``.

    :param paths: the decoded paths of all URLs that are exported.
    """

    def __init__(self, paths: Iterable[str]) -> None:
        self.folders = {"", *(folder for path in paths for folder in _above(path.lstrip("/")))}
        # For each name, as a file system without letter case and Unicode forms has it, the name
        # and its use.
        self.taken = {_fold(MANIFEST): (MANIFEST, "the list of all files")}

    def take(self, path: str, content_type: str) -> str:
        """Return the name of a URL's file, relative to the folder of the export.

        :param path: the decoded path of the URL.
        :raises FileNameError: for a name that leads out of the folder, that some file system
            cannot hold, that a server or browser would run, or that is taken.
        """
        kind = content_type.partition(";")[0].strip().lower()
        name = self._name(path.removeprefix("/"), kind)
        _check(name)
        if _ACTIVE_ENDING.search(name) and not _ACTIVE_TYPE.fullmatch(kind):
            raise FileNameError(
                f"{name} has the ending of a page, and a host would serve {kind or 'it'} as one"
            )
        places = [(folder, "a folder") for folder in _above(name)]
        for place, use in [*places, (name, f"the file of {path}")]:
            other, owner = self.taken.setdefault(_fold(place), (place, use))
            if other != place:
                raise FileNameError(
                    f"{place} and {other} differ only in letter case or Unicode form, "
                    "which not every file system distinguishes"
                )
            if owner != use:
                raise FileNameError(f"{place} is {owner}")
        return name

    def _name(self, path: str, kind: str) -> str:
        """Return the name of a file before it is checked.

        :param path: the decoded path without the slash at its start.
        :param kind: the content type without its parameters, in lower case.
        """
        ending = _ENDINGS.get(kind, "")
        if ending == ".html" and path:
            if not path.lower().endswith(ending):
                path += ending
            return path
        if path in self.folders:
            return f"{path}/index{ending}".lstrip("/")
        return path


def _above(name: str) -> Iterator[str]:
    """Return the folders above a name, from the top down."""
    parts = name.split("/")
    return ("/".join(parts[:n]) for n in range(1, len(parts)))


def _fold(name: str) -> str:
    """Return a name as a file system that ignores letter case and Unicode forms compares it."""
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", name).casefold())


def _check(name: str) -> None:
    """Refuse a name that a file system cannot hold, or that a server does not serve as it is.

    Names of devices, a dot or a space at the end, and characters such as ``:`` are those that
    Windows refuses or changes.
    """
    parts = name.split("/")
    for part in parts:
        match = _FORBIDDEN.search(part)
        if match:
            raise FileNameError(f"{part!r} has {match[0]!r}, which a file name cannot have")
        for pattern, reason in _REFUSED.items():
            if re.fullmatch(pattern, part):
                raise FileNameError(f"{part!r} {reason}")
        _check_length(part, "a file name", _LONGEST_NAME)
    if _PROGRAM.search(parts[-1]):
        raise FileNameError(f"{name} is a program to some servers, which would run it")
    if parts[-1].lower() in _SETTINGS:
        raise FileNameError(f"{parts[-1]!r} is a file by which hosts are configured")
    _check_length(name, "a path", _LONGEST_PATH)


def _check_length(text: str, noun: str, most: int) -> None:
    """Refuse a name that has too many bytes in UTF-8.

    :param noun: what it is, for the message.
    :param most: the largest number of bytes.
    """
    length = len(text.encode())
    if length > most:
        raise FileNameError(f"'{text[:40]}...' has {length} bytes, and {noun} at most {most}")
