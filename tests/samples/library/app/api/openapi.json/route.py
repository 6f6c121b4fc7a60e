from flask_routehandlers.openapi import document

openapi = {"info": {"title": "Library", "version": "1.0"}}

GET = document
