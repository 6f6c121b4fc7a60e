from flask_routehandlers import Body
from werkzeug.security import generate_password_hash

from app.models import Session, User
from app.schemas import Account, OneUser, UserChanges


def GET(user: User) -> OneUser[Account]:
    """Get the current user."""
    return OneUser(user=Account.model_validate(user))


def PUT(user: User, body: Body[OneUser[UserChanges]], db: Session) -> OneUser[Account]:
    """Change the current user."""
    for name, value in body.user.model_dump(exclude_unset=True).items():
        setattr(user, name, generate_password_hash(value) if name == "password" else value)
    db.flush()
    return OneUser(user=Account.model_validate(user))
