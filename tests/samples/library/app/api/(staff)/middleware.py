from typing import Annotated

from flask import Response
from flask_routehandlers import CallNext, Scheme
from werkzeug.exceptions import Forbidden

Key = Annotated[str, Scheme(header="X-Staff-Key")]


def middleware(call_next: CallNext, key: Key) -> Response | Forbidden:
    """Let those in who know the key."""
    return call_next() if key == "open-sesame" else Forbidden("It is another key.")
