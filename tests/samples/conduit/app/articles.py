import sys
from typing import Any

from sqlalchemy import Select, func, select

from app.models import Article, Session, User
from app.schemas import ArticleOut, Articles, Page


def list_articles(db: Session, query: Select[Any], page: Page, viewer: User | None) -> Articles:
    offset, limit = min(page.offset, sys.maxsize), min(page.limit, 100)
    newest = query.order_by(Article.id.desc()).offset(offset).limit(limit)
    articles = [ArticleOut.of(article, viewer) for article in db.scalars(newest)]
    count = db.scalar(select(func.count()).select_from(query.subquery()))
    return Articles(articles=articles, articles_count=count or 0)
