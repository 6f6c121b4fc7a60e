from sqlalchemy import select
from werkzeug.exceptions import Forbidden, NotFound

from app.models import Article, Session, User


def article(slug: str, db: Session) -> Article | NotFound:
    return db.scalar(select(Article).filter_by(slug=slug)) or NotFound("No such article.")


def own_article(user: User, article: Article) -> Article | Forbidden:
    return article if article.author is user else Forbidden("It is not your article.")
