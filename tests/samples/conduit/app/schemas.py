from datetime import UTC, datetime
from typing import Annotated, Generic, Self, TypeVar

from pydantic import AfterValidator, BaseModel, Field
from pydantic.alias_generators import to_camel

from app import models

T = TypeVar("T")

Time = Annotated[datetime, AfterValidator(lambda time: time.replace(tzinfo=UTC))]


class Model(BaseModel, alias_generator=to_camel, validate_by_name=True, from_attributes=True):
    pass


class Page(Model):
    offset: Annotated[int, Field(ge=0)] = 0
    limit: Annotated[int, Field(ge=1)] = 20


class Login(Model):
    email: str
    password: str


class NewUser(Login):
    username: str


class UserChanges(Model):
    email: str = ""
    password: str = ""
    username: str = ""
    bio: str = ""
    image: str = ""


class Account(Model):
    email: str
    token: str
    username: str
    bio: str
    image: str


class Profile(Model):
    username: str
    bio: str
    image: str
    following: bool

    @classmethod
    def of(cls, user: models.User, viewer: models.User | None) -> Self:
        return cls(
            username=user.username,
            bio=user.bio,
            image=user.image,
            following=viewer in user.followers,
        )


class NewArticle(Model):
    title: str
    description: str
    body: str
    tag_list: set[str] = set()


class ArticleChanges(Model):
    title: str = ""
    description: str = ""
    body: str = ""


class ArticleOut(Model):
    slug: str
    title: str
    description: str
    body: str
    tag_list: list[str]
    created_at: Time
    updated_at: Time
    favorited: bool
    favorites_count: int
    author: Profile

    @classmethod
    def of(cls, article: models.Article, viewer: models.User | None) -> Self:
        return cls(
            slug=article.slug,
            title=article.title,
            description=article.description,
            body=article.body,
            tag_list=sorted(article.tag_list),
            created_at=article.created_at,
            updated_at=article.updated_at,
            favorited=viewer in article.fans,
            favorites_count=len(article.fans),
            author=Profile.of(article.author, viewer),
        )


class NewComment(Model):
    body: str


class CommentOut(Model):
    id: int
    created_at: Time
    updated_at: Time
    body: str
    author: Profile

    @classmethod
    def of(cls, comment: models.Comment, viewer: models.User | None) -> Self:
        return cls(
            id=comment.id,
            created_at=comment.created_at,
            updated_at=comment.updated_at,
            body=comment.body,
            author=Profile.of(comment.author, viewer),
        )


class OneUser(Model, Generic[T]):
    user: T


class OneProfile(Model):
    profile: Profile


class OneArticle(Model, Generic[T]):
    article: T


class Articles(Model):
    articles: list[ArticleOut]
    articles_count: int


class OneComment(Model, Generic[T]):
    comment: T


class Comments(Model):
    comments: list[CommentOut]


class Tags(Model):
    tags: list[str]
