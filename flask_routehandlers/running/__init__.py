"""Async code in a WSGI process: one event loop for all requests, streams, and :func:`after`.

``modes`` crosses between sync and async code, ``process`` has the ``engine`` that runs the loop,
and ends it with the process. Where threads can share a loop, ``task`` drives a coroutine in the
thread of its request, in turns with ``loop`` by means of ``baton``; elsewhere, and below gevent
with the parts in ``greenlets``, ``hop`` lets that thread wait. ``queued`` has calls of sync
functions that wait for their thread, ``streams`` iterates async generators, and ``after`` runs
callbacks.

Modules that need :mod:`asyncio` are imported with the first async call of a process.
"""
