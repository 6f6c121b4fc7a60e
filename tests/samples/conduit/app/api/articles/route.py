import re
import secrets

from flask_routehandlers import Body, Created, Query
from sqlalchemy import select

from app.articles import list_articles
from app.models import Article, Session, Tag, User
from app.schemas import ArticleOut, Articles, NewArticle, OneArticle, Page


def GET(
    viewer: User | None,
    db: Session,
    page: Query[Page],
    tag: Query[str | None] = None,
    author: Query[str | None] = None,
    favorited: Query[str | None] = None,
) -> Articles:
    """List articles, the newest first."""
    query = select(Article)
    if tag is not None:
        query = query.where(Article.tags.any(Tag.name == tag))
    if author is not None:
        query = query.where(Article.author.has(User.username == author))
    if favorited is not None:
        query = query.where(Article.fans.any(User.username == favorited))
    return list_articles(db, query, page, viewer)


def POST(
    user: User, body: Body[OneArticle[NewArticle]], db: Session
) -> Created[OneArticle[ArticleOut]]:
    """Publish an article."""
    words = re.sub(r"[^a-z0-9]+", "-", body.article.title.lower()).strip("-")
    slug = f"{words}-{secrets.token_hex(4)}"
    article = Article(slug=slug, author=user, **body.article.model_dump())
    db.add(article)
    db.flush()
    return OneArticle(article=ArticleOut.of(article, user)), 201
