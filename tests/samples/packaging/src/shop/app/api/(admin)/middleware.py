from flask import abort


def middleware(request, call_next):
    if request.headers.get("X-Key") != "open sesame":
        abort(401)
    return call_next()
