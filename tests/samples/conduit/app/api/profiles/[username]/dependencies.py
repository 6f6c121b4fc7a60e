from sqlalchemy import select
from werkzeug.exceptions import NotFound

from app.models import Session, User


def owner(username: str, db: Session) -> User | NotFound:
    return db.scalar(select(User).filter_by(username=username)) or NotFound("No such user.")
