"""The inflight area: memory in which a back-end notes the requests that it has taken from a ring.

The back-end allocates it. The front-end keeps it and hands it to the back-end of the next
connection, which submits the noted requests again. It does not read it, and forgets it at a reset,
which ends all requests. Source: "Vhost-user Protocol", "Inflight I/O tracking"; QEMU
vhost_dev_get_inflight, vhost_dev_set_inflight.
"""

from __future__ import annotations

import os
from struct import Struct
from typing import Final, NamedTuple

from vblkfuzz.targets.vhost.fault import MalformedReply

_AREA: Final = Struct("<QQHH4x")
"""Padded as the C structure of QEMU, libvhost-user, rust-vmm and DPDK is."""


class InflightArea(NamedTuple):
    """The payload of GET_INFLIGHT_FD and SET_INFLIGHT_FD."""

    size: int
    """Bytes; 0 in the request."""
    offset: int
    """Of the area in its file, in bytes; 0 in the request."""
    queues: int
    queue_size: int
    """Entries of each queue."""

    def pack(self) -> bytes:
        """Return the payload."""
        return _AREA.pack(*self)

    @classmethod
    def unpack(cls, data: bytes) -> InflightArea:
        """Read a payload.

        Raises:
            MalformedReply: it has another length.
        """
        if len(data) != _AREA.size:
            raise MalformedReply(f"inflight: expected {_AREA.size} bytes, found {len(data)}")
        return cls(*_AREA.unpack(data))


class Inflight(NamedTuple):
    """An area and the file that it is in."""

    area: InflightArea
    fd: int

    def close(self) -> None:
        """Close the file."""
        os.close(self.fd)
