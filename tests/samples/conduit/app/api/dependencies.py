from collections.abc import Iterator
from typing import Annotated

from flask_routehandlers import Scheme
from itsdangerous import BadSignature
from sqlalchemy.exc import IntegrityError
from werkzeug.exceptions import Unauthorized, UnprocessableEntity

from app.models import Session, User, make_session, signer

Token = Annotated[str, Scheme("Token")]


class Taken(UnprocessableEntity):
    """The username or the email address is taken."""

    description = __doc__


def db() -> Iterator[Session | Taken]:
    try:
        with make_session.begin() as session:
            yield session
    except IntegrityError as error:
        raise Taken from error


def user(token: Token, db: Session) -> User | Unauthorized:
    try:
        return db.get(User, signer().loads(token)) or Unauthorized()
    except BadSignature:
        return Unauthorized()


def viewer(db: Session, token: Token | None = None) -> User | Unauthorized | None:
    return user(token, db) if token else None
