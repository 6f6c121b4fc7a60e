from sqlalchemy import select

from app.models import Session, Tag
from app.schemas import Tags


def GET(db: Session) -> Tags:
    """List the tags of all articles."""
    return Tags(tags=list(db.scalars(select(Tag.name).distinct().order_by(Tag.name))))
