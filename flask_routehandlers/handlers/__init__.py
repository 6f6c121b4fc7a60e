"""One route file as one view: its handlers, and the middleware around them.

``exports`` and ``config`` read a loaded module, whose functions are each a ``link``. ``chain``
composes middleware, ``dispatch`` calls the handler of a method, ``views`` makes the functions that
answer requests, and ``endpoint`` is the view that Flask stores. ``results``, ``responses`` and
``errors`` make a response of what a function returns or raises. What can be decided at start-up is
not decided again for each request.
"""
