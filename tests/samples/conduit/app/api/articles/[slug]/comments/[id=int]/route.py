from flask_routehandlers import NoContent
from werkzeug.exceptions import Forbidden, NotFound

from app.models import Article, Session, User


def DELETE(id: int, user: User, article: Article, db: Session) -> NoContent | NotFound | Forbidden:
    """Delete a comment."""
    comment = next((comment for comment in article.comments if comment.id == id), None)
    if comment is None:
        return NotFound("No such comment.")
    if comment.author is not user:
        return Forbidden("It is not your comment.")
    db.delete(comment)
    return "", 204
