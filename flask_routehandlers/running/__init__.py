"""Async code in a WSGI process: one event loop for all requests, streams, and :func:`after`.

Modules that need :mod:`asyncio` are imported with the first async call of a process.
"""
