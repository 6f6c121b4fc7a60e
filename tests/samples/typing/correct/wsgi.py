from flask import Flask
from flask_routehandlers import RouteHandlers

app = Flask(__name__)
RouteHandlers(app, root="app")
