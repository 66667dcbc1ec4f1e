"""Messages of the vhost-user protocol: a header of three u32, then a payload by request.

    request u32 | flags u32 | size of the payload u32 | payload

All numbers are little endian here (the protocol says native). Payloads are values with `pack` and
`unpack`. Source: "Vhost-user Protocol", "Message Specification". Their numbers:
`virtio.vhost_user`. Next: `frontend`, which sends them.
"""

from __future__ import annotations

from struct import Struct
from typing import Final, NamedTuple

from vblkfuzz.targets.vhost.fault import MalformedReply

HEADER: Final = Struct("<III")
VERSION: Final = 1
VERSION_MASK: Final = 3
FLAG_REPLY: Final = 4
FLAG_NEED_REPLY: Final = 8

U64: Final = Struct("<Q")
MAX_PAYLOAD: Final = 4096
"""Bytes. The longest answer that is requested is a configuration space of 256 bytes."""
MAX_FDS: Final = 8
"""File descriptors sent with one message (the protocol's limit for a memory table)."""
NO_FD: Final = 1 << 8
"""In the payload of SET_VRING_KICK, CALL and ERR: no file descriptor is sent with it."""


class Header(NamedTuple):
    """The header of a message."""

    request: int
    flags: int
    size: int
    """Bytes of the payload."""

    @classmethod
    def unpack(cls, data: bytes) -> Header:
        """Read the header of an answer.

        Raises:
            MalformedReply: it is truncated, of another version, no reply, or its payload is too
                long.
        """
        if len(data) != HEADER.size:
            raise MalformedReply(f"header: expected {HEADER.size} bytes, found {len(data)}")
        header = cls(*HEADER.unpack(data))
        if header.flags & VERSION_MASK != VERSION:
            raise MalformedReply(f"flags: expected version {VERSION}, found {header.flags:#x}")
        if not header.flags & FLAG_REPLY:
            raise MalformedReply(f"flags: expected a reply, found {header.flags:#x}")
        if header.size > MAX_PAYLOAD:
            raise MalformedReply(f"size: expected at most {MAX_PAYLOAD}, found {header.size}")
        return header


class Message(NamedTuple):
    """A request of the front-end."""

    request: int
    payload: bytes = b""
    need_reply: bool = False
    """Ask for an answer (REPLY_ACK): 0 if the back-end has carried out the request."""

    def pack(self) -> bytes:
        """Return the bytes on the wire."""
        flags = VERSION | (FLAG_NEED_REPLY if self.need_reply else 0)
        return HEADER.pack(self.request, flags, len(self.payload)) + self.payload


class VringState(NamedTuple):
    """A number that belongs to a queue: size, base, or whether it is enabled."""

    queue: int
    number: int

    def pack(self) -> bytes:
        """Return the payload."""
        return _STATE.pack(*self)

    @classmethod
    def unpack(cls, data: bytes) -> VringState:
        """Read a payload.

        Raises:
            MalformedReply: it has another length.
        """
        return cls(*_exactly(_STATE, data, "vring state"))


_STATE: Final = Struct("<II")


class VringAddresses(NamedTuple):
    """Addresses of a queue's parts in the address space of the front-end, not of the guest."""

    queue: int
    descriptors: int
    used: int
    available: int

    def pack(self) -> bytes:
        """Return the payload; no flags, no dirty log."""
        return _ADDRESSES.pack(self.queue, 0, *self[1:], 0)

    @classmethod
    def unpack(cls, data: bytes) -> VringAddresses:
        """Read a payload.

        Raises:
            MalformedReply: it has another length.
        """
        index, _, *areas, _ = _exactly(_ADDRESSES, data, "vring addresses")
        return cls(index, *areas)


_ADDRESSES: Final = Struct("<IIQQQQ")


class ConfigRange(NamedTuple):
    """A part of the configuration space; a GET_CONFIG request has zeroes as `data`."""

    offset: int
    data: bytes

    def pack(self) -> bytes:
        """Return the payload."""
        return _CONFIG.pack(self.offset, len(self.data), 0) + self.data

    @classmethod
    def unpack(cls, data: bytes) -> ConfigRange:
        """Read a payload.

        Raises:
            MalformedReply: its length does not fit its size field.
        """
        if len(data) < _CONFIG.size:
            raise MalformedReply(f"config: expected {_CONFIG.size} bytes, found {len(data)}")
        offset, size, _ = _CONFIG.unpack_from(data)
        content = data[_CONFIG.size :]
        if len(content) != size:
            raise MalformedReply(f"config: expected {size} bytes, found {len(content)}")
        return cls(offset, content)


_CONFIG: Final = Struct("<III")


def pack_u64(value: int) -> bytes:
    """Return the payload that is one number."""
    return U64.pack(value)


def unpack_u64(data: bytes, what: str = "number") -> int:
    """Read the payload that is one number; `what` it is, for the error.

    Raises:
        MalformedReply: it has another length.
    """
    (value,) = _exactly(U64, data, what)
    return int(value)


def _exactly(layout: Struct, data: bytes, what: str) -> tuple[int, ...]:
    if len(data) != layout.size:
        raise MalformedReply(f"{what}: expected {layout.size} bytes, found {len(data)}")
    return layout.unpack(data)
