"""Functions of a ``dependencies.py``: found, planned, run and cleaned up.

``exports`` reads them from a module, ``planning`` resolves names to functions once, at start-up,
and ``types`` compares their types with annotations; the plans are in ``model``. For each request
``resolving`` runs those that a function asks for, and ends them with ``cleanup``, or with
``streams`` if the response has a body that is still to be made. ``overriding`` puts other
functions in their place while a test runs.
"""
