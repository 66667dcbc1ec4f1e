"""A message of the front-end as it arrives."""

from __future__ import annotations

import socket
from typing import NamedTuple

from vblkfuzz.targets.vhost.message import FLAG_NEED_REPLY, HEADER, MAX_FDS, MAX_PAYLOAD


class Message(NamedTuple):
    """A message of the front-end."""

    number: int
    asks: bool
    """For an answer, although it is none that has one."""
    payload: bytes
    fds: list[int]


def received(line: socket.socket) -> Message | None:
    """Return the next message; None: it is none, or the connection has ended.

    Raises:
        OSError: the connection has ended.
    """
    data, fds, _, _ = socket.recv_fds(line, HEADER.size, MAX_FDS)
    if len(data) != HEADER.size:
        return None
    number, flags, size = HEADER.unpack(data)
    if size > MAX_PAYLOAD:
        return None
    payload = line.recv(size, socket.MSG_WAITALL) if size else b""
    return Message(number, bool(flags & FLAG_NEED_REPLY), payload, fds)
