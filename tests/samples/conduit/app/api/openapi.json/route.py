from flask_routehandlers.openapi import document

openapi = {"info": {"title": "Conduit", "version": "1.0"}}

GET = document
