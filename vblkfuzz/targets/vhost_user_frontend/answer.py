"""How the back-end answers messages: as it should, or once in another way.

A front-end that gets a wrong answer may fail what it was doing, or disconnect. What it cannot know
to be wrong it may believe.
"""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING, Final, NamedTuple

from vblkfuzz.scenario.alphabet.backend import MESSAGES, WAYS
from vblkfuzz.targets.vhost.inflight import InflightArea
from vblkfuzz.targets.vhost.message import (
    FLAG_REPLY,
    HEADER,
    U64,
    VERSION,
    ConfigRange,
    VringState,
    pack_u64,
    unpack_u64,
)
from vblkfuzz.virtio.vhost_user import Request

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

RIGHT, LATE, ERROR, SHORT, LONG, HUGE, CUT, ZEROES, ONES, MORE, NUMBER, FLAGS, TWICE, FILE = range(
    len(WAYS)
)
_BELIEVED: Final = frozenset({ZEROES, ONES, MORE, TWICE, FILE})
_KEPT: Final = frozenset({Request.GET_CONFIG, Request.SET_CONFIG})
ANY: Final = 0xFF
ABOUT: Final = (
    Request.GET_FEATURES,
    Request.GET_PROTOCOL_FEATURES,
    Request.GET_QUEUE_NUM,
    Request.GET_CONFIG,
    Request.GET_VRING_BASE,
    Request.GET_INFLIGHT_FD,
    Request.SET_MEM_TABLE,
    Request.SET_CONFIG,
    ANY,
)
"""Number of the message by code of `MESSAGES`."""
assert len(ABOUT) == len(MESSAGES)
GETS: Final = frozenset(number for number in Request if number.name.startswith("GET_"))
"""Messages that have an answer."""
_UNKNOWN: Final = 1 << 60 | 1 << 20
"""Bits that are no features."""
_U16: Final = 0xFFFF


def is_believed(number: int, way: int) -> bool:
    """Whether what a wrong answer says may outlast the connection.

    A front-end that cannot know that it is wrong goes on with it; what it has read of the
    configuration, or failed to write, is that of any connection.
    """
    return way in _BELIEVED or number in _KEPT


class Reply(NamedTuple):
    """The answer to a message."""

    payload: bytes
    fds: tuple[int, ...] = ()
    """Files that are sent with it, and then closed."""


class Conduct:
    """What the back-end does to the next message of a kind, on any connection."""

    def __init__(self) -> None:
        self.ends_at = 0
        """Number of the message at which it ends; 0: at none."""
        self._about = 0
        self._way = RIGHT

    def arm(self, about: int, way: int) -> None:
        """Answer the next message `about` (an element of `ABOUT`) in another way."""
        self._about, self._way = about, way

    def way(self, number: int, *, asks: bool) -> int:
        """Return how the message that has come is answered.

        Args:
            number: of it.
            asks: it asks for an answer, although it is none that has one.
        """
        if not (asks or number in GETS) or self._about not in (number, ANY):
            return RIGHT
        self._about, way = 0, self._way
        return way


def send(line: socket.socket, number: int, reply: Reply, way: int) -> bool:
    """Send an answer, and close its files; return whether the connection goes on.

    Raises:
        OSError: the front-end has disconnected.
    """
    fds = [] if way == FILE else list(reply.fds)
    if way == FILE and not reply.fds:
        fds = [line.fileno()]
    try:
        socket.send_fds(line, [_message(number, reply.payload, way)], fds)
    finally:
        for fd in reply.fds:
            os.close(fd)
    return way != CUT


def _message(number: int, right: bytes, way: int) -> bytes:
    payload = _payload(number, right, way)
    size = 0xFFFF_FFFF if way == HUGE else len(right) if way == CUT else len(payload)
    flags = VERSION | (0 if way == FLAGS else FLAG_REPLY)
    message = HEADER.pack(number + (way == NUMBER), flags, size) + payload
    return message * 2 if way == TWICE else message


def _payload(number: int, right: bytes, way: int) -> bytes:
    """Return the payload; one that is an error is empty (GET_CONFIG), or not 0 (REPLY_ACK)."""
    if way == ERROR:
        return b"" if number in GETS else pack_u64(1)
    if way in (SHORT, CUT):
        return right[: len(right) // 2]
    if way == MORE:
        return _MORE.get(number, _one_more)(right)
    changed = {LONG: right + bytes(8), HUGE: b"", ZEROES: bytes(len(right))}
    changed[ONES] = b"\xff" * len(right)
    return changed.get(way, right)


def _one_more(right: bytes) -> bytes:
    return pack_u64(unpack_u64(right) + 1)


def _more_features(right: bytes) -> bytes:
    return pack_u64(unpack_u64(right) | _UNKNOWN)


def _more_taken(right: bytes) -> bytes:
    queue, base = VringState.unpack(right)
    return VringState(queue, base & ~_U16 | (base + 1) & _U16).pack()


def _more_capacity(right: bytes) -> bytes:
    offset, data = ConfigRange.unpack(right)
    if offset or len(data) < U64.size:
        return right
    capacity = unpack_u64(data[: U64.size]) + 1
    return ConfigRange(offset, pack_u64(capacity) + data[U64.size :]).pack()


def _more_queues(right: bytes) -> bytes:
    area = InflightArea.unpack(right)
    return area._replace(queues=area.queues + 1, size=2 * area.size).pack()


_MORE: Final[Mapping[int, Callable[[bytes], bytes]]] = {
    Request.GET_FEATURES: _more_features,
    Request.GET_PROTOCOL_FEATURES: _more_features,
    Request.GET_VRING_BASE: _more_taken,
    Request.GET_CONFIG: _more_capacity,
    Request.GET_INFLIGHT_FD: _more_queues,
}
