from flask_routehandlers import Query
from sqlalchemy import select

from app.articles import list_articles
from app.models import Article, Session, User
from app.schemas import Articles, Page


def GET(user: User, db: Session, page: Query[Page]) -> Articles:
    """List the articles of the users that the current user follows."""
    query = select(Article).where(Article.author.has(User.followers.contains(user)))
    return list_articles(db, query, page, user)
