"""Trees as Werkzeug rules: the only place that uses Werkzeug's private names.

``rules`` makes a rule of the segments of a file, with the ``converters`` of its parameters, and
``matcher`` lets the path of a request decide before its method. ``matching`` compares rules with
each other and with a path; ``prefix`` is about the part before every URL of a tree.
"""
