from flask import Response, render_template_string

from .pages import PAGES


async def GET() -> Response:
    text = render_template_string("{{ pages | join('\n') }}", pages=PAGES)
    return Response(text, mimetype="application/xml")
