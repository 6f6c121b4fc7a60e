from typing import Annotated, TypedDict

from flask_routehandlers import Bearer, Header, NoContent, Scheme
from werkzeug.exceptions import Forbidden

Session = Annotated[str, Scheme(cookie="session")]


class Me(TypedDict):
    name: str
    language: str


def GET(
    token: Bearer, accept_language: Header[Annotated[str, "as a browser sends it"]] = "en"
) -> Me | Forbidden:
    """Show who asks."""
    if token != "ada":
        return Forbidden()
    return {"name": token, "language": accept_language}


def DELETE(session: Session) -> NoContent | Forbidden:
    """Leave."""
    if session != "ada":
        return Forbidden()
    return "", 204
