from datetime import UTC, datetime

from flask import current_app
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy import Column, ForeignKey, Table, orm
from sqlalchemy.ext.associationproxy import AssociationProxy, association_proxy
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from sqlalchemy.orm import Session as Session

make_session = orm.sessionmaker[Session]()


class Base(DeclarativeBase):
    pass


def now() -> datetime:
    return datetime.now(UTC)


follows = Table(
    "follows",
    Base.metadata,
    Column("follower_id", ForeignKey("user.id"), primary_key=True),
    Column("followed_id", ForeignKey("user.id"), primary_key=True),
)
favorites = Table(
    "favorites",
    Base.metadata,
    Column("user_id", ForeignKey("user.id"), primary_key=True),
    Column("article_id", ForeignKey("article.id"), primary_key=True),
)


def signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(str(current_app.secret_key))


class User(Base):
    __tablename__ = "user"
    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(unique=True)
    email: Mapped[str] = mapped_column(unique=True)
    password: Mapped[str]
    bio: Mapped[str] = mapped_column(default="")
    image: Mapped[str] = mapped_column(default="")
    followers: Mapped[set["User"]] = relationship(
        secondary=follows,
        primaryjoin="User.id == follows.c.followed_id",
        secondaryjoin="User.id == follows.c.follower_id",
    )

    @property
    def token(self) -> str:
        return str(signer().dumps(self.id))


class Tag(Base):
    __tablename__ = "tag"
    article_id: Mapped[int] = mapped_column(ForeignKey("article.id"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)


class Dated:
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)


class Article(Dated, Base):
    __tablename__ = "article"
    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(unique=True)
    title: Mapped[str]
    description: Mapped[str]
    body: Mapped[str]
    author_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    author: Mapped[User] = relationship()
    fans: Mapped[set[User]] = relationship(secondary=favorites)
    tags: Mapped[list[Tag]] = relationship(cascade="all, delete-orphan")
    comments: Mapped[list["Comment"]] = relationship(cascade="all, delete-orphan")
    tag_list: AssociationProxy[list[str]] = association_proxy(
        "tags", "name", creator=lambda name: Tag(name=name)
    )


class Comment(Dated, Base):
    __tablename__ = "comment"
    id: Mapped[int] = mapped_column(primary_key=True)
    body: Mapped[str]
    article_id: Mapped[int] = mapped_column(ForeignKey("article.id"))
    author_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    author: Mapped[User] = relationship()
