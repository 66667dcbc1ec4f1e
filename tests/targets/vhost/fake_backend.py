"""A vhost-user back-end in a thread of the test, with set answers; it logs all messages."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from typing import NamedTuple

from vblkfuzz.targets.vhost.message import (
    FLAG_NEED_REPLY,
    FLAG_REPLY,
    HEADER,
    VERSION,
    VringState,
    pack_u64,
)
from vblkfuzz.virtio.layout import F_EVENT_IDX, F_VERSION_1
from vblkfuzz.virtio.vhost_user import F_PROTOCOL_FEATURES, ProtocolFeature, Request

OFFERED = 1 << F_VERSION_1 | 1 << F_EVENT_IDX | 1 << F_PROTOCOL_FEATURES


class Seen(NamedTuple):
    request: Request
    payload: bytes
    fds: int


Answer = Callable[[bytes], bytes | None]
"""From the payload of a request to that of its answer; None: close the connection."""


class FakeBackend:
    """Serves one connection; `client` is the front-end's end."""

    def __init__(self, answers: dict[Request, Answer] | None = None) -> None:
        self.client, self._socket = socket.socketpair()
        self.seen: list[Seen] = []
        self.raw_answer: bytes | None = None
        """Sent instead of the next answer."""
        self.silent = False
        self._answers: dict[Request, Answer] = {
            Request.GET_FEATURES: lambda _: pack_u64(OFFERED),
            Request.GET_PROTOCOL_FEATURES: lambda _: pack_u64(
                ProtocolFeature.MQ | ProtocolFeature.REPLY_ACK | ProtocolFeature.CONFIG | 1 << 14
            ),
            Request.GET_QUEUE_NUM: lambda _: pack_u64(4),
            Request.GET_VRING_BASE: lambda data: VringState(data[0], 7).pack(),
            Request.GET_CONFIG: lambda data: data,
            **(answers or {}),
        }
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self.client.close()
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()

    def requests(self) -> list[Request]:
        return [seen.request for seen in self.seen]

    def _serve(self) -> None:
        while True:
            try:
                data, fds, _, _ = socket.recv_fds(self._socket, HEADER.size, 8)
            except OSError:
                return
            if not data:
                return
            number, flags, size = HEADER.unpack(data)
            payload = self._socket.recv(size) if size else b""
            for fd in fds:
                os.close(fd)
            request = Request(number)
            self.seen.append(Seen(request, payload, len(fds)))
            if not self._answer(request, flags, payload):
                self._socket.shutdown(socket.SHUT_RDWR)
                return

    def _answer(self, request: Request, flags: int, payload: bytes) -> bool:
        answer = self._answers.get(request)
        if answer is None and flags & FLAG_NEED_REPLY:
            answer = lambda _: pack_u64(0)  # noqa: E731  # an answer like those of the table
        if answer is None or self.silent:
            return True
        reply = answer(payload)
        if reply is None:
            return False
        whole = HEADER.pack(request, VERSION | FLAG_REPLY, len(reply)) + reply
        if self.raw_answer is not None:
            whole, self.raw_answer = self.raw_answer, None
        self._socket.sendall(whole)
        return True
