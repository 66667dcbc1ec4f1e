"""Event kinds of VIRTIO_F_IN_ORDER: a part of the table in `trace.kinds`."""

from __future__ import annotations

from typing import Final

from vblkfuzz.trace.kind import kind

WAITS: Final = kind(
    143,
    "the request has ended, and waits until all older ones of its queue are pushed: F_IN_ORDER was "
    "negotiated",
    hides_head=True,
)
