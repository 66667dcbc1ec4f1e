"""One connection to a vhost-user back-end: messages out, answers in, each within a time limit.

The socket waits by poll(2) inside Python's own timeouts, so a back-end that is silent, slow or
stopped costs `limits.DEVICE_LIMIT_S` and an error, never the campaign.
"""

from __future__ import annotations

import select
import socket
from typing import TYPE_CHECKING, Final

from vblkfuzz.limits import DEVICE_LIMIT_S
from vblkfuzz.targets.vhost.fault import BackendGone, BackendSilent, MalformedReply, Refused
from vblkfuzz.targets.vhost.message import (
    HEADER,
    MAX_PAYLOAD,
    Header,
    Message,
    Request,
    unpack_u64,
)

if TYPE_CHECKING:
    from collections.abc import Sequence


class Connection:
    """Our end of a connected unix stream socket; `close` it."""

    def __init__(self, peer: socket.socket, limit_s: float = DEVICE_LIMIT_S) -> None:
        self._socket: Final = peer
        self._socket.settimeout(limit_s)
        self._limit_s = limit_s
        self.acknowledges = False
        """REPLY_ACK is negotiated."""

    def send(self, request: Request, payload: bytes = b"", fds: Sequence[int] = ()) -> None:
        """Send a message that has no answer, or whose answer is fetched later.

        Raises:
            BackendGone: the back-end has closed the connection.
            BackendSilent: it does not read.
        """
        self._send(Message(request, payload), fds)

    def ask(self, request: Request, payload: bytes = b"") -> bytes:
        """Send a message and return the payload of its answer.

        Raises:
            BackendFault: there is none, or it makes no sense.
        """
        self._send(Message(request, payload), ())
        return self.receive(request)

    def demand(self, request: Request, payload: bytes = b"", fds: Sequence[int] = ()) -> None:
        """Send a message without an answer of its own, and wait until it is done.

        Without REPLY_ACK that is known from the answer to the next message.

        Raises:
            Refused: the back-end says that it could not do it.
            BackendFault: it says nothing, or nothing sensible.
        """
        self._send(Message(request, payload, self.acknowledges), fds)
        if not self.acknowledges:
            self.ask(Request.GET_FEATURES)
            return
        status = unpack_u64(self.receive(request))
        if status:
            raise Refused(f"{request.name}: the back-end answers {status}")

    def receive(self, request: Request) -> bytes:
        """Return the payload of the answer to `request`, which was sent before.

        Raises:
            BackendGone, BackendSilent: there is none.
            MalformedReply: it is an answer to something else, or none at all.
        """
        header = Header.unpack(self._read(HEADER.size))
        if header.request != request:
            raise MalformedReply(f"request: expected {request.name}, found {header.request}")
        return self._read(header.size)

    def ask_later(self) -> None:
        """Ask for the features; the answer is fetched when it is `readable`."""
        self.send(Request.GET_FEATURES)

    def readable(self, timeout_s: float = 0) -> bool:
        """Whether an answer has begun to arrive, or the back-end has closed the connection."""
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return bool(poll.poll(timeout_s * 1000))

    def is_closed(self) -> bool:
        """Whether the back-end has closed the connection; call it with no answer on its way."""
        return self.readable()

    def close(self) -> None:
        """Close our end."""
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

    def _read(self, size: int) -> bytes:
        assert size <= max(HEADER.size, MAX_PAYLOAD)
        data = b""
        while len(data) < size:
            try:
                part = self._socket.recv(size - len(data))
            except TimeoutError:
                raise self._silent("gives no answer") from None
            except OSError as error:
                raise BackendGone(f"the back-end is gone: {error.strerror}") from None
            if not part:
                raise BackendGone("the back-end has closed the connection")
            data += part
        return data

    def _silent(self, what: str) -> BackendSilent:
        return BackendSilent(f"the back-end {what} within {self._limit_s} s")
