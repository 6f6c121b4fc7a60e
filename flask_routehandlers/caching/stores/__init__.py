"""Stores of the responses of static handlers: in this process, or in a shared server.

``base`` has the interface, ``memory`` and ``redis`` are the stores, and ``resilient`` puts the
first in the place of the second while that is down. ``entry`` is the form of what is stored;
``connections`` and ``scripts`` are how ``redis`` talks to the server.
"""
