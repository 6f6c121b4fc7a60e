def middleware(request, call_next):
    response = call_next()
    response.headers["X-Method"] = request.method
    return response
