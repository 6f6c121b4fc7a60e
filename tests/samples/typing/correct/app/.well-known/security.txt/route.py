from flask import Response

from . import contact


def GET() -> Response:
    return Response(f"Contact: {contact.ADDRESS}\n", mimetype="text/plain")
