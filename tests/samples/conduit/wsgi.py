"""The RealWorld API: ``flask run``, or ``gunicorn wsgi:app``."""

import os
from typing import TypedDict

from flask import Flask
from flask_routehandlers import InvalidRequest, RouteHandlers
from sqlalchemy import create_engine
from sqlalchemy.schema import CreateTable
from werkzeug.exceptions import HTTPException

from app.models import Base, make_session


class Messages(TypedDict):
    body: list[str]


class Errors(TypedDict):
    errors: Messages


app = Flask(__name__)
app.secret_key = os.environ.get("SECRET_KEY", "for development only")
engine = create_engine(os.environ.get("DATABASE_URL", "sqlite:///conduit.db"))
with engine.begin() as connection:  # Workers that start together may all create the tables.
    for table in Base.metadata.sorted_tables:
        connection.execute(CreateTable(table, if_not_exists=True))
make_session.configure(bind=engine)


@app.errorhandler(HTTPException)
def describe(error: HTTPException) -> tuple[Errors, int, list[tuple[str, str]]]:
    messages = [error.description or error.name]
    if isinstance(error, InvalidRequest):
        messages = [f"{value.pointer}: {value.detail}" for value in error.errors]
    headers = [(name, value) for name, value in error.get_headers() if name != "Content-Type"]
    return {"errors": {"body": messages}}, error.code or 500, headers


RouteHandlers(app)
