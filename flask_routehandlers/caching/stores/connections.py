"""Connections to a Redis server: few, never waited for long, never used after an interruption.

redis-py makes them: it knows URLs, TLS and passwords. A call is one write and mostly one read on
the socket, which costs a third of a call through its client.
"""

from __future__ import annotations

import struct
import sys
import time
from collections import deque
from collections.abc import Iterable
from socket import SO_RCVTIMEO, SO_SNDTIMEO, SOL_SOCKET, SocketType
from threading import Condition
from typing import Any

from redis import RedisError
from redis.connection import Connection, parse_url

from ..._forks import renew_after_fork
from ...errors import StoreError
from .base import StoreRefusedError

#: Bytes that are read at once.
_READ = 65536

#: What a server says that is there and cannot serve anybody now.
_DOWN = ("LOADING", "BUSY", "MASTERDOWN", "CLUSTERDOWN", "NOAUTH", "WRONGPASS", "TRYAGAIN")

#: A reply: a number, bytes, nothing, an error, or several of them.
Reply = Any


class ReplyError(Exception):
    """A reply that tells an error. The connection is as good as before."""


class Connections:
    """Connections that any thread may call through.

    :param url: ``redis://``, ``rediss://`` or ``unix://``, with the options of redis-py.
    :param timeout: seconds to wait for a connection, and for each part of a reply.
    :param most: how many there are at most.
    :raises ValueError: for a URL that redis-py does not know.
    """

    def __init__(self, url: str, timeout: float, most: int) -> None:
        options: dict[str, Any] = parse_url(url)  # type: ignore[no-untyped-call]
        options.pop("max_connections", None)
        options.pop("timeout", None)
        self._make: Any = options.pop("connection_class", Connection)
        defaults = {"socket_timeout": timeout, "socket_connect_timeout": timeout}
        # Version 2 of the protocol needs no greeting, and all replies have one form each.
        self._options = defaults | options | {"protocol": 2, "decode_responses": False}
        try:
            self._make(**self._options)
        except TypeError as error:
            raise ValueError(str(error)) from error
        self._timeout = timeout
        self._most = most
        self.after_fork()
        renew_after_fork(self)

    def after_fork(self) -> None:
        # Those of the parent are left to it: nothing is sent through them, not even a good-bye.
        self._idle: deque[_Caller] = deque()
        self._changed = Condition()
        self._open = 0
        self._waiting = 0
        self._failures = 0

    def call(self, command: bytes) -> Reply:
        """Send a command that :func:`pack` made, and give its reply.

        :raises StoreError: when there is no answer.
        :raises StoreRefusedError: when all connections are busy.
        :raises ReplyError: when the answer is an error.
        """
        try:
            caller = self._idle.pop()
        except IndexError:
            caller = self._open_or_wait()
        try:
            reply = caller.call(command)
        except ReplyError as error:
            self._give_back(caller)
            if str(error).startswith(_DOWN):
                raise StoreError(str(error)) from error
            raise
        except (OSError, RedisError, ValueError) as error:
            self._discard(caller)
            if caller.is_used and isinstance(error, ConnectionError):
                # The server may have closed what was idle for long, or was started anew.
                return self.call(command)
            self._forget_all()
            raise StoreError(self._say(error)) from error
        except BaseException:
            # The reply is still to come, and is nobody else's.
            self._discard(caller)
            raise
        caller.is_used = True
        self._give_back(caller)
        return reply

    def _say(self, error: Exception) -> str:
        if isinstance(error, BlockingIOError):  # the system's word for its time-out
            return f"no answer within {self._options['socket_timeout']} seconds"
        text = str(error).rstrip(".")  # it stands inside of sentences
        return f"{type(error).__name__}: {text}"

    def close(self) -> None:
        """Close those that are idle."""
        self._forget_all()

    def _open_or_wait(self) -> _Caller:
        with self._changed:
            if self._open >= self._most:
                return self._wait()
            self._open += 1
        return _Caller(self._make, self._options)

    def _wait(self) -> _Caller:
        deadline = time.monotonic() + self._timeout
        failures = self._failures
        self._waiting += 1
        try:
            while True:
                try:
                    return self._idle.pop()
                except IndexError:
                    pass
                if failures != self._failures:
                    raise StoreError("the connections of other threads failed")
                if self._open < self._most:
                    self._open += 1
                    return _Caller(self._make, self._options)
                if not self._changed.wait(deadline - time.monotonic()):
                    raise StoreRefusedError(f"all {self._most} connections are busy")
        finally:
            self._waiting -= 1

    def _give_back(self, caller: _Caller) -> None:
        self._idle.append(caller)
        if self._waiting:
            with self._changed:
                self._changed.notify()

    def _discard(self, caller: _Caller) -> None:
        caller.close()
        with self._changed:
            self._open -= 1
            self._changed.notify()

    def _forget_all(self) -> None:
        """Close what is idle: it leads to where another one failed."""
        with self._changed:
            self._failures += 1
            while self._idle:
                try:
                    caller = self._idle.pop()
                except IndexError:
                    break  # another thread took the last one
                caller.close()
                self._open -= 1
            self._changed.notify_all()


class _Caller:
    """One connection, which is made with the first call."""

    def __init__(self, make: Any, options: dict[str, Any]) -> None:
        self._connection = make(**options)
        self._socket: Any = None
        self._buffer = bytearray()
        self.is_used = False

    def call(self, command: bytes) -> Reply:
        socket = self._socket
        if socket is None:
            self._connection.connect()
            socket = self._socket = self._connection._sock
            _wait_in_the_kernel(socket)
        socket.sendall(command)
        data = socket.recv(_READ)
        # Most replies are a number, and complete.
        if data[:1] == b":" and data[-2:] == b"\r\n":
            return int(data[1:-2])
        self._buffer = bytearray(data)
        if not data:
            raise ConnectionResetError("the server closed the connection")
        reply = self._reply()
        if self._buffer:
            raise ValueError("more than one reply")
        if isinstance(reply, ReplyError):
            raise reply
        return reply

    def close(self) -> None:
        self._socket = None
        self._connection.disconnect()

    def _reply(self) -> Reply:
        line = self._line()
        kind, rest = line[:1], line[1:]
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return self._bytes(int(rest)) if rest != b"-1" else None
        if kind == b"*":
            return [self._reply() for _ in range(int(rest))] if rest != b"-1" else None
        if kind == b"+":
            return rest
        if kind == b"-":
            return ReplyError(rest.decode(errors="replace"))
        raise ValueError("no reply of Redis")

    def _line(self) -> bytes:
        while (end := self._buffer.find(b"\r\n")) < 0:
            self._receive()
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 2]
        return line

    def _bytes(self, length: int) -> bytes:
        while len(self._buffer) < length + 2:
            self._receive()
        value = bytes(memoryview(self._buffer)[:length])
        del self._buffer[: length + 2]
        return value

    def _receive(self) -> None:
        data = self._socket.recv(_READ)
        if not data:
            raise ConnectionResetError("the server closed the connection")
        self._buffer += data


def _wait_in_the_kernel(peer: Any) -> None:
    """Let the system watch the time-out of a socket. Python would ask it twice for each call, once
    whether to wait: a third of the time that a hit takes."""
    timeout = peer.gettimeout()
    # Sockets with TLS, and those of gevent, wait in their own way.
    if sys.platform != "linux" or type(peer).recv is not SocketType.recv or not timeout:
        return
    limit = struct.pack("@ll", int(timeout), int(timeout % 1 * 1_000_000))
    peer.setsockopt(SOL_SOCKET, SO_RCVTIMEO, limit)
    peer.setsockopt(SOL_SOCKET, SO_SNDTIMEO, limit)
    peer.settimeout(None)


def pack(parts: Iterable[bytes]) -> bytes:
    """A command as it is sent."""
    packed = [b"$%d\r\n%b\r\n" % (len(part), part) for part in parts]
    return b"*%d\r\n%b" % (len(packed), b"".join(packed))
