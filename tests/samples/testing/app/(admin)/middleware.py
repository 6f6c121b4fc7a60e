from flask import abort


def middleware(request, call_next):
    if request.headers.get("X-Key") != "open sesame":
        abort(403)
    return call_next()
