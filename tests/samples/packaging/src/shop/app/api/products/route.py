from ..._lib.products import PRODUCTS


def GET():
    return PRODUCTS
