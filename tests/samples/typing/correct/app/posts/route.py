from flask import Request

from .._lib.posts import POSTS, Post


def GET() -> list[Post]:
    return list(POSTS.values())


def POST(request: Request) -> tuple[Post, int]:
    number = max(POSTS) + 1
    POSTS[number] = {"id": number, "title": request.get_data(as_text=True)}
    return POSTS[number], 201
