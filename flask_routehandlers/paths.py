"""What a request path must look like to reach a handler. Pure text, decided once per request."""

from __future__ import annotations

import re

# PATH_INFO holds bytes as latin-1 characters, so a C1 control is the pair C2 80..9F.
_UNCLEAN = re.compile(r"//|/\.\.?(?:/|\Z)|[\x00-\x1f\x7f\\]|\xc2[\x80-\x9f]")


def is_clean(path_info: str) -> bool:
    """Whether a path is unambiguous for every server and proxy on its way.

    Refused: ``.`` and ``..`` segments, empty segments, control characters, backslashes, bytes
    that are not UTF-8, and a path without its leading slash. A trailing slash is clean.

    :param path_info: the WSGI variable ``PATH_INFO``: decoded once, bytes as latin-1.
    """
    if not path_info.isascii():
        try:
            path_info.encode("latin-1").decode("utf-8")
        except UnicodeError:
            return False
    return path_info[:1] in ("/", "") and _UNCLEAN.search(path_info) is None
