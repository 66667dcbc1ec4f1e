"""One connection to a vhost-user back-end: messages out, answers in, each within a time limit.

The socket has a timeout, so a back-end that is silent, slow or stopped leads to an error and does
not block the campaign. It is longer than `limits.BUSY_LIMIT_S`: the fuzz process decides before
whether the back-end hangs (`targets.silence`).
"""

from __future__ import annotations

import os
import select
import socket
from typing import TYPE_CHECKING, Final

from vblkfuzz.limits import BUSY_LIMIT_S
from vblkfuzz.targets.vhost.fault import BackendGone, BackendSilent, MalformedReply, Refused
from vblkfuzz.targets.vhost.message import (
    HEADER,
    MAX_FDS,
    MAX_PAYLOAD,
    Header,
    Message,
    unpack_u64,
)
from vblkfuzz.virtio.vhost_user import Request

if TYPE_CHECKING:
    from collections.abc import Sequence

_LIMIT_S: Final = 1.5 * BUSY_LIMIT_S
"""Seconds within which a back-end has to answer."""


class Connection:
    """The front-end's end of a connected unix stream socket; `close` it after use."""

    def __init__(self, peer: socket.socket, limit_s: float = _LIMIT_S) -> None:
        self._socket: Final = peer
        self._socket.settimeout(limit_s)
        self._limit_s = limit_s
        self.acknowledges = False
        """Whether REPLY_ACK is negotiated."""

    def send(self, request: Request, payload: bytes = b"", fds: Sequence[int] = ()) -> None:
        """Send a message that has no answer, or whose answer is received later.

        Raises:
            BackendGone: the back-end has closed the connection.
            BackendSilent: the back-end does not read.
        """
        self._send(Message(request, payload), fds)

    def ask(self, request: Request, payload: bytes = b"") -> bytes:
        """Send a message and return the payload of its answer.

        Raises:
            BackendFault: there is no answer, or it is malformed.
        """
        self._send(Message(request, payload), ())
        return self.receive(request)

    def ask_for_file(self, request: Request, payload: bytes) -> tuple[bytes, int]:
        """Send a message; return the payload of its answer and the fd that comes with it.

        Raises:
            BackendFault: there is no answer, or it is malformed, or it has not exactly one fd.
        """
        self._send(Message(request, payload), ())
        fds: list[int] = []
        answer = self.receive(request, fds)
        if len(fds) != 1:
            for fd in fds:
                os.close(fd)
            raise MalformedReply(f"{request.name}: expected a file, found {len(fds)}")
        return answer, fds[0]

    def demand(self, request: Request, payload: bytes = b"", fds: Sequence[int] = ()) -> None:
        """Send a message that has no answer of its own, and wait until it has been handled.

        With REPLY_ACK the back-end answers it. Without, a second message is sent that has an
        answer.

        Raises:
            Refused: the back-end answers with an error.
            BackendFault: there is no answer, or it is malformed.
        """
        self._send(Message(request, payload, self.acknowledges), fds)
        if not self.acknowledges:
            self.ask(Request.GET_FEATURES)
            return
        status = unpack_u64(self.receive(request))
        if status:
            raise Refused(f"{request.name}: the back-end answers {status}")

    def receive(self, request: Request, fds: list[int] | None = None) -> bytes:
        """Return the payload of the answer to `request`, which was sent before.

        Args:
            request: it.
            fds: gets the fds that come with the answer; None: they are dropped.

        Raises:
            BackendGone, BackendSilent: there is no answer.
            MalformedReply: it answers another request, or it is no answer.
        """
        header = Header.unpack(self._read(HEADER.size, fds))
        if header.request != request:
            raise MalformedReply(f"request: expected {request.name}, found {header.request}")
        return self._read(header.size)

    def ask_later(self) -> None:
        """Ask for the features; `receive` the answer once it is `readable`."""
        self.send(Request.GET_FEATURES)

    def readable(self, timeout_s: float = 0) -> bool:
        """Whether an answer has begun to arrive, or the back-end has closed the connection."""
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return bool(poll.poll(timeout_s * 1000))

    def is_closed(self) -> bool:
        """Whether the back-end has closed the connection; call it only if no answer is due."""
        return self.readable()

    def close(self) -> None:
        """Close this end."""
        self._socket.close()

    def _send(self, message: Message, fds: Sequence[int]) -> None:
        data = message.pack()
        try:
            if fds:
                sent = socket.send_fds(self._socket, [data], list(fds))
                data = data[sent:]
            self._socket.sendall(data)
        except TimeoutError:
            raise self._silent("does not read") from None
        except OSError as error:
            raise BackendGone(f"the back-end is gone: {error.strerror}") from None

    def _read(self, size: int, fds: list[int] | None = None) -> bytes:
        assert size <= max(HEADER.size, MAX_PAYLOAD)
        data = b""
        while len(data) < size:
            try:
                part = self._receive(size - len(data), fds)
            except TimeoutError:
                raise self._silent("gives no answer") from None
            except OSError as error:
                raise BackendGone(f"the back-end is gone: {error.strerror}") from None
            if not part:
                raise BackendGone("the back-end has closed the connection")
            data += part
        return data

    def _receive(self, size: int, fds: list[int] | None) -> bytes:
        if fds is None:
            return self._socket.recv(size)
        part, found, _, _ = socket.recv_fds(self._socket, size, MAX_FDS)
        fds += found
        return part

    def _silent(self, what: str) -> BackendSilent:
        return BackendSilent(f"the back-end {what} within {self._limit_s} s")
