from flask import abort

from ..._lib.posts import POSTS


def GET(id):
    if id not in POSTS:
        abort(404)
    return POSTS[id]


def DELETE(id):
    del POSTS[id]
    return "", 204
