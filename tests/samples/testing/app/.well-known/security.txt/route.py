def GET():
    return "Contact: mailto:security@example.com\n"
