from flask_routehandlers import Body, Created
from werkzeug.security import generate_password_hash

from app.models import Session, User
from app.schemas import Account, NewUser, OneUser


def POST(body: Body[OneUser[NewUser]], db: Session) -> Created[OneUser[Account]]:
    """Register a new user."""
    password = generate_password_hash(body.user.password)
    user = User(**body.user.model_dump() | {"password": password})
    db.add(user)
    db.flush()
    return OneUser(user=Account.model_validate(user)), 201
