from flask_routehandlers import Body
from sqlalchemy import select
from werkzeug.exceptions import Unauthorized
from werkzeug.security import check_password_hash

from app.models import Session, User
from app.schemas import Account, Login, OneUser


def POST(body: Body[OneUser[Login]], db: Session) -> OneUser[Account] | Unauthorized:
    """Log in."""
    user = db.scalar(select(User).filter_by(email=body.user.email))
    if user is None or not check_password_hash(user.password, body.user.password):
        return Unauthorized("The email address or the password is wrong.")
    return OneUser(user=Account.model_validate(user))
