"""Sphinx configuration. Nothing here needs the network."""

from importlib.metadata import version as version_of

project = "Flask-RouteHandlers"
author = "The Flask-RouteHandlers authors"
project_copyright = author
release = version = version_of(project)

extensions = ["myst_parser", "sphinx.ext.autodoc"]
exclude_patterns = ["_build"]
nitpicky = True
# Names of other projects, whose inventories are on the network, and type variables.
nitpick_ignore_regex = [
    ("py:.*", r"(flask|werkzeug|os|collections|contextlib|types|typing)\..*|Flask"),
    ("py:class", r".*\.[A-Z]|~[A-Z]"),
]

myst_heading_anchors = 3
autodoc_typehints = "description"
autodoc_member_order = "bysource"

html_theme = "furo"
html_title = f"Flask-RouteHandlers {version}"
