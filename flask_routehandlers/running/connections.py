"""The client's end of a connection, where the server shows it."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

#: Keys of environ with the socket of the connection.
_SOCKETS = ("gunicorn.socket", "werkzeug.socket")


def watch(environ: dict[str, Any]) -> Callable[[], bool] | None:
    """Return a function that returns whether the client has closed its connection.

    :param environ: the request's.
    :returns: ``None`` if the server does not show it: waitress does with
        ``channel_request_lookahead``, gunicorn with sync and gthread workers, and Werkzeug's
        development server, but no server with TLS.
    """
    is_disconnected: Callable[[], bool] | None = environ.get("waitress.client_disconnected")
    if is_disconnected is not None:
        return is_disconnected
    for key in _SOCKETS:
        connection = environ.get(key)
        # Sockets of TLS and of gevent cannot be asked.
        if type(connection) is socket.socket and hasattr(socket, "MSG_DONTWAIT"):
            return lambda: _is_closed(connection)
    return None


def _is_closed(connection: socket.socket) -> bool:
    """Look for the end of what a client sends, and take nothing out of it."""
    try:
        return not connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False
    except OSError:
        return True
