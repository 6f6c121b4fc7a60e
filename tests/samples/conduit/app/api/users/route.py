from flask_routehandlers import Body, Created
from werkzeug.security import generate_password_hash

from app.models import Session, User
from app.schemas import Account, NewUser, OneUser


def POST(body: Body[OneUser[NewUser]], db: Session) -> Created[OneUser[Account]]:
    """Register a new user."""
    new = body.user
    password = generate_password_hash(new.password)
    user = User(username=new.username, email=new.email, password=password)
    db.add(user)
    db.flush()
    return OneUser(user=Account.model_validate(user)), 201
