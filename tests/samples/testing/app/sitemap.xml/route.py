def GET():
    return "<urlset/>"
