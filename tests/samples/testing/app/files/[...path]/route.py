def GET(path):
    for part in path:
        yield part + "\n"
