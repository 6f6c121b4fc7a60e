"""A library, in memory: what a document can describe, in one small tree."""

from flask import Flask
from flask_routehandlers import RouteHandlers

app = Flask(__name__)
app.config["MAX_CONTENT_LENGTH"] = 64 * 1024
RouteHandlers(app)
