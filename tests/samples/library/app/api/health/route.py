"""For the monitor."""


def GET():
    """Show that the server answers."""
    return {"status": "ok"}
