"""Connections to a Redis server: few, with bounded waits, never used after an interruption.

redis-py opens them: it knows URLs, TLS and passwords. Replies are read here, since only so each
of them has a deadline, and a call takes half as long as through redis-py.
"""

from __future__ import annotations

import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from redis import RedisError
from redis.connection import Connection, parse_url
from redis.exceptions import TimeoutError as RedisTimeoutError

from ...errors import StoreError
from .base import StoreRefusedError, raise_if_from_signal

#: Bytes that are read at once, and the longest line of a reply.
_READ = 65536

#: How many times the time-out a call may take if its thread has to wait for the processor.
_PATIENCE = 10

#: Errors of a server that runs, but can serve no one now.
_DOWN = ("LOADING", "BUSY", "MASTERDOWN", "CLUSTERDOWN", "NOAUTH", "WRONGPASS", "TRYAGAIN")

#: A reply: a number, bytes or ``None``. No command here is answered with a list.
Reply = Any


class Connections:
    """Connections that any thread may call through.

    A call takes a connection, sends a command, reads one reply and gives the connection back. One
    whose call was interrupted is closed, since its reply would be read by the next caller.

    :param url: ``redis://``, ``rediss://`` or ``unix://``, with the options of redis-py.
    :param timeout: seconds to wait for a connection and for each reply.
    :param most: how many connections there are at most.
    :raises ValueError: for a URL that redis-py does not accept. Its message does not contain the
        URL, which may have a password.
    """

    def __init__(self, url: str, timeout: float, most: int) -> None:
        try:
            options: dict[str, Any] = parse_url(url)  # type: ignore[no-untyped-call]
        except ValueError:
            raise ValueError("redis-py cannot parse it") from None
        options.pop("max_connections", None)
        options.pop("timeout", None)
        self._make: Any = options.pop("connection_class", Connection)
        defaults = {"socket_timeout": timeout, "socket_connect_timeout": timeout}
        # Version 2 of the protocol needs no greeting, and all its replies have one form each.
        self._options = defaults | options | {"protocol": 2, "decode_responses": False}
        try:
            self._make(**self._options)
        except (TypeError, ValueError, RedisError) as error:
            raise ValueError(f"redis-py does not accept its options: {error}") from None
        self._timeout: float = self._options["socket_timeout"]
        # To be taken from the right end, where the open ones are.
        self._free = deque(_Peer(self._make, self._options) for _ in range(most))
        weakref.finalize(self, _close_free, self._free)
        self._freed = threading.Condition()
        self._waiting = 0
        self._failures = 0

    def call(self, command: bytes) -> Reply:
        """Send a command, and return its reply.

        :param command: the result of :func:`pack`.
        :raises StoreRefusedError: when the reply is an error.
        :raises StoreError: when there is no reply, or the server can serve no one now.
        """
        try:
            peer = self._free.pop()
        except IndexError:
            peer = self._wait()
        is_reusable = False
        try:
            try:
                reply = peer.call(command)
            except ConnectionError as error:
                raise_if_from_signal(error)
                if not peer.is_used:
                    raise
                # The server may have closed what was idle for long, or was restarted.
                peer.close()
                reply = peer.call(command)
            is_reusable = True
        except StoreRefusedError as error:
            is_reusable = True
            if str(error).startswith(_DOWN):
                raise StoreError(str(error)) from error
            raise
        except (OSError, RedisError, ValueError) as error:
            raise_if_from_signal(error)
            self.close()
            raise StoreError(self._describe(error)) from error
        finally:
            if is_reusable:
                peer.is_used = True
                self._free.append(peer)
            else:
                # It may also have been interrupted: its reply must reach no other caller.
                peer.close()
                self._free.appendleft(peer)
            if self._waiting:
                with self._freed:
                    self._freed.notify()
        return reply

    def _wait(self) -> _Peer:
        """Wait for a connection. This ends, as every call that uses one does."""
        failures = self._failures
        with self._freed:
            self._waiting += 1
            try:
                while True:
                    try:
                        return self._free.pop()
                    except IndexError:
                        pass
                    if failures != self._failures:
                        raise StoreError("the connections of other threads failed")
                    self._freed.wait(self._timeout)
            finally:
                self._waiting -= 1

    def _describe(self, error: Exception) -> str:
        """Return the reason for a :class:`~flask_routehandlers.StoreError`."""
        if isinstance(error, TimeoutError):
            return f"no answer within {self._timeout} seconds"
        return f"{type(error).__name__}: {error}".rstrip(".")  # more follows it in a message

    def close(self) -> None:
        """Close connections that are not in use: they lead to where another one failed."""
        self._failures += 1
        _close_free(self._free)
        with self._freed:
            self._freed.notify_all()


def _close_free(free: deque[_Peer]) -> None:
    """Close connections that are not in use. They are opened again when they are needed."""
    for _ in range(len(free)):
        try:
            peer = free.pop()
        except IndexError:
            break  # another thread took the last one
        peer.close()
        free.appendleft(peer)


class _Peer:
    """One connection, which a call opens if it is closed."""

    def __init__(self, make: Any, options: dict[str, Any]) -> None:
        self._make = make
        self._options = options
        self._timeout: float = options["socket_timeout"]
        self._connection: Any = None
        self._socket: Any = None
        self._deadline = 0.0
        self.is_used = False

    def _connect(self) -> Any:
        """Open the connection, and return its socket."""
        self._connection = self._make(**self._options)
        # To send each of them takes one more round trip.
        for name in ("driver_info", "lib_name", "lib_version"):
            setattr(self._connection, name, None)
        self._connection.connect()
        return self._connection._sock

    def call(self, command: bytes) -> Reply:
        """Send a command, and return its reply. After an error it must be closed.

        :raises StoreRefusedError: when the reply is an error, after which it can be used further.
        :raises OSError, ~redis.RedisError: when there is no reply in time.
        :raises ValueError: when what arrives is not a reply.
        """
        if self._socket is None:
            self._socket = self._patiently(self._connect)
        self._socket.sendall(command)
        data: bytes = self._patiently(self._read)
        while b"\r\n" not in data:
            if len(data) > _READ:
                raise ValueError("not a reply of Redis")
            data += self._read()
        line, _, rest = data.partition(b"\r\n")
        kind, text = line[:1], line[1:]
        reply: Reply = None
        if kind == b":":
            reply = int(text)
        elif kind == b"$" and text != b"-1":
            reply, rest = self._read_bytes(rest, int(text))
        elif kind == b"-":
            raise StoreRefusedError(text.decode(errors="replace"))
        elif kind == b"+":
            reply = text
        elif kind != b"$":
            raise ValueError("not a reply of Redis")
        if rest:
            raise ValueError("more than one reply")
        return reply

    def _read_bytes(self, begun: bytes, length: int) -> tuple[bytes, bytes]:
        """Return bytes of some length, and what follows them."""
        data = bytearray(begun)
        while len(data) < length + 2:
            data += self._read()
        return bytes(data[:length]), bytes(data[length + 2 :])

    def _read(self) -> bytes:
        """Read the next part of a reply. After the deadline, what has already arrived counts."""
        late = time.monotonic() - self._deadline
        if late > self._timeout * _PATIENCE:
            raise TimeoutError
        if late < 0:
            try:
                return self._receive()
            except TimeoutError as error:
                raise_if_from_signal(error)
        self._socket.settimeout(0.001)
        try:
            return self._receive()
        finally:
            self._socket.settimeout(self._timeout)

    def _receive(self) -> bytes:
        """Return the bytes that have arrived, at least one.

        :raises ConnectionResetError: if the server has closed the connection.
        """
        data: bytes = self._socket.recv(_READ)
        if not data:
            raise ConnectionResetError("the server closed the connection")
        return data

    def _patiently(self, action: Callable[[], Any]) -> Any:
        """Return the result of an action that has a time-out.

        The server is silent only if this thread could run when the time had passed.
        """
        for _ in range(_PATIENCE):
            self._deadline = time.monotonic() + self._timeout
            try:
                return action()
            except (TimeoutError, RedisTimeoutError) as error:
                raise_if_from_signal(error)
                if time.monotonic() - self._deadline < self._timeout / 2:
                    raise
        return action()

    def close(self) -> None:
        self._socket = None
        self.is_used = False
        if self._connection is not None:
            self._connection.disconnect()


def pack(parts: Iterable[bytes]) -> bytes:
    """Return a command as it is sent: the number of its parts, and each part after its length."""
    packed = [b"$%d\r\n%b\r\n" % (len(part), part) for part in parts]
    return b"*%d\r\n%b" % (len(packed), b"".join(packed))
