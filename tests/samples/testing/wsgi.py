from flask import Flask

from flask_routehandlers import RouteHandlers


def create_app():
    app = Flask(__name__)
    RouteHandlers(app, root="app")
    return app
