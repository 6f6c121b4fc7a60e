"""One route file as one view: its handlers, and the middleware around them.

``exports`` and ``config`` read a loaded module. ``chain`` composes middleware, ``dispatch``
selects the handler, and ``endpoint`` is the view that Flask stores. ``results``, ``responses`` and
``errors`` make a response of what a function returns or raises. What can be decided at start-up is
not decided again for each request.
"""
