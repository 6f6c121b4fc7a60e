from app.models import Article, User
from app.schemas import ArticleOut, OneArticle


def POST(user: User, article: Article) -> OneArticle[ArticleOut]:
    """Make an article a favorite."""
    article.fans.add(user)
    return OneArticle(article=ArticleOut.of(article, user))


def DELETE(user: User, article: Article) -> OneArticle[ArticleOut]:
    """Remove an article from the favorites."""
    article.fans.discard(user)
    return OneArticle(article=ArticleOut.of(article, user))
