"""Events of a virtio-scsi device: what it tells in the event queue (virtio 1.2, 5.6.6.3).

Next: `driver.event_queue`, which gives the device buffers for them.
"""

from __future__ import annotations

from struct import Struct
from typing import Final, NamedTuple

F_HOTPLUG: Final = 1
F_CHANGE: Final = 2
"""Feature bits (5.6.3): the device may tell that units come and go, and that they change."""

EVENT: Final = Struct("<I8sI")
"""event, lun, reason."""
EVENT_SIZE: Final = EVENT.size
_MISSED: Final = 1 << 31
"""VIRTIO_SCSI_T_EVENTS_MISSED, beside any event."""

KINDS: Final = ("no event", "transport reset", "notification", "change", "unknown", "unwritten")
"""Words for events: VIRTIO_SCSI_T_..., by number; one that the standard lacks; a buffer that the
device has used and not written as a whole."""
CHANGE, UNKNOWN, UNWRITTEN = (KINDS.index(name) for name in ("change", "unknown", "unwritten"))
EMPTY: Final = b"\xff" * EVENT_SIZE
"""A buffer before the device writes it; no event looks so."""


class ScsiEvent(NamedTuple):
    """An event as the driver understands it."""

    kind: int
    """A position in `KINDS`."""
    unit: int
    reason: int
    missed: bool
    """Whether events before it were lost, for which there was no buffer."""


def event_in(buffer: bytes, length: int) -> ScsiEvent:
    """Return the event in a buffer of which the device says that it has written `length` bytes."""
    number, lun, reason = EVENT.unpack(buffer)
    if length < EVENT_SIZE or buffer == EMPTY:
        return ScsiEvent(UNWRITTEN, 0, 0, missed=False)
    kind = min(number & ~_MISSED, UNKNOWN)
    return ScsiEvent(kind, lun[3], reason & 0xFFFF, missed=bool(number & _MISSED))
