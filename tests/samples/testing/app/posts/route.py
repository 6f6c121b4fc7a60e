from .._lib.posts import POSTS


def GET():
    return list(POSTS.values())


def POST(request):
    return {"title": request.json["title"]}, 201
