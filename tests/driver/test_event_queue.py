"""Events of virtio-scsi: the buffers that a device finds, what the driver makes of them."""

from __future__ import annotations

import struct

import pytest

from tests.driver.test_scsi import ScsiGuest
from vblkfuzz.driver.memory_map import EVENT_SLOTS, SIDE_QUEUES
from vblkfuzz.trace.kinds import MEMORY_CHANGED
from vblkfuzz.trace.scsi_kinds import EVENTS_READY, SCSI_EVENT
from vblkfuzz.virtio.request.scsi_event import EVENT_SIZE, KINDS

EVENTS = SIDE_QUEUES[1]
CAPACITY = 0x092A
"""Reason of a change of the capacity (SPC: sense code and qualifier)."""


class EventGuest(ScsiGuest):
    """A guest whose event queue the test plays, too."""

    def __init__(self, **more: int) -> None:
        super().__init__(**more)
        self.events_end = self.device(EVENTS)

    def tell(self, number: int, unit: int = 0, reason: int = 0, length: int = EVENT_SIZE) -> None:
        chain = self.events_end.pop()
        assert chain is not None
        ((address, size),) = chain.writable
        assert size == EVENT_SIZE
        event = struct.pack("<I8sI", number, bytes([1, 0, 0x40, unit, 0, 0, 0, 0]), reason)
        self.memory.write(address, event[:length])
        self.events_end.push(chain.head, length)

    def found(self) -> list[tuple[str, int, int, int]]:
        """Return kind, unit, reason and whether some were missed, of each event."""
        self.do("collect")
        events = self.events(SCSI_EVENT)
        return [(KINDS[one.flag], one.head, one.value, one.length) for one in events]


@pytest.mark.parametrize(
    ("number", "unit", "reason", "found"),
    [
        (3, 2, CAPACITY, ("change", 2, CAPACITY, 0)),
        (1 | 1 << 31, 1, 2, ("transport reset", 1, 2, 1)),
        (1 << 31, 0, 0, ("no event", 0, 0, 1)),
        (2, 0, 1, ("notification", 0, 1, 0)),
        (77, 0, 0, ("unknown", 0, 0, 0)),
    ],
)
def test_what_an_event_means(
    number: int, unit: int, reason: int, found: tuple[str, int, int, int]
) -> None:
    guest = EventGuest()
    guest.tell(number, unit, reason)
    assert guest.found() == [found]
    assert guest.events(MEMORY_CHANGED) == []


@pytest.mark.parametrize("length", [0, EVENT_SIZE - 1])
def test_a_buffer_that_is_not_written_as_a_whole(length: int) -> None:
    guest = EventGuest()
    guest.tell(3, length=length)
    assert [one[0] for one in guest.found()] == ["unwritten"]


def test_each_buffer_is_given_back_and_the_device_told() -> None:
    guest = EventGuest()
    assert guest.transport.log[-1] == f"kick {EVENTS}"
    for _ in range(5):
        for _ in EVENT_SLOTS:
            guest.tell(3)
        assert guest.events_end.pop() is None
        guest.do("collect")
        assert guest.transport.log[-1] == f"kick {EVENTS}"
    guest.rest()
    assert len(guest.events(SCSI_EVENT)) == 10
    assert {one.value for one in guest.events(EVENTS_READY)} == {2}


def test_a_driver_without_driver_ok_notifies_nobody() -> None:
    guest = EventGuest()
    before = guest.transport.log.count(f"kick {EVENTS}")
    guest.do("init", how="no_driver_ok")
    assert guest.transport.log.count(f"kick {EVENTS}") == before
    guest.transport.status = 11
    guest.do("driver_ok")
    assert guest.transport.log[-1] == f"kick {EVENTS}"


def test_memory_beside_a_buffer_is_the_drivers() -> None:
    guest = EventGuest()
    guest.tell(3)
    guest.memory.bytes[EVENT_SLOTS[0].header + EVENT_SIZE] = 1
    guest.found()
    guest.rest()
    assert len(guest.events(MEMORY_CHANGED)) == 1
