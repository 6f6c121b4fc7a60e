from flask import abort

from ...._lib.products import PRODUCTS


def GET(id: int):
    return next((product for product in PRODUCTS if product["id"] == id), None) or abort(404)
