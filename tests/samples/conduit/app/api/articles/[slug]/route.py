from flask_routehandlers import Body, NoContent

from app.models import Article, Session, User
from app.schemas import ArticleChanges, ArticleOut, OneArticle


def GET(viewer: User | None, article: Article) -> OneArticle[ArticleOut]:
    """Get an article."""
    return OneArticle(article=ArticleOut.of(article, viewer))


def PUT(
    own_article: Article, body: Body[OneArticle[ArticleChanges]], db: Session
) -> OneArticle[ArticleOut]:
    """Change an article."""
    for name, value in body.article.model_dump(exclude_unset=True).items():
        setattr(own_article, name, value)
    db.flush()
    return OneArticle(article=ArticleOut.of(own_article, own_article.author))


def DELETE(own_article: Article, db: Session) -> NoContent:
    """Delete an article."""
    db.delete(own_article)
    return "", 204
