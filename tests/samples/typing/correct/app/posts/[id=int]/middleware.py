from flask import Response, abort
from flask_routehandlers import CallNext

from ..._lib.posts import POSTS


def middleware(id: int, call_next: CallNext) -> Response:
    return call_next() if id in POSTS else abort(404)
