"""The arguments of a function: which it names, and how it is called.

``calls`` makes a :class:`~.model.Binding` of a function, after ``refusals`` and ``annotations``
have checked it; ``hidden`` looks for signatures that a decorator conceals. All of it is done once,
at start-up: a request only fills a dict.
"""
