"""A tree as Werkzeug rules. Only this package uses private names of Werkzeug's routing."""
