from flask import render_template

from .._lib.products import PRODUCTS


def GET():
    return render_template("sitemap.xml", products=PRODUCTS), {"Content-Type": "application/xml"}
