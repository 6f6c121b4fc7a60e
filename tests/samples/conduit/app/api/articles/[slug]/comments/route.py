from flask_routehandlers import Body

from app.models import Article, Comment, Session, User
from app.schemas import CommentOut, Comments, NewComment, OneComment


def GET(viewer: User | None, article: Article) -> Comments:
    """List the comments on an article."""
    return Comments(comments=[CommentOut.of(comment, viewer) for comment in article.comments])


def POST(
    user: User, article: Article, body: Body[OneComment[NewComment]], db: Session
) -> OneComment[CommentOut]:
    """Comment on an article."""
    comment = Comment(body=body.comment.body, author=user)
    article.comments.append(comment)
    db.flush()
    return OneComment(comment=CommentOut.of(comment, user))
