"""Devices that return requests wrongly or write the driver's descriptors, on packed rings.

The driver cannot see all of that where it takes used descriptors: what it does not find is missing,
and what it has not given away has changed.
"""

from __future__ import annotations

import pytest

from vblkfuzz import VirtioBlk
from vblkfuzz.oracle.judge import judge
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.op import Op, op
from vblkfuzz.scenario.scenario import Deviation, Go, Scenario
from vblkfuzz.targets.model import model
from vblkfuzz.virtio.chain import Chain
from vblkfuzz.virtio.packed.device_queue import DeviceQueue
from vblkfuzz.virtio.packed.layout import DESC_MARKS

INIT, SEND, COLLECTS = op("init"), op("publish_kick"), op("collect")
LAPS: tuple[Op, ...] = (INIT, *(SEND, COLLECTS) * 3)
HELD: tuple[Op, ...] = (INIT, op("hold"), SEND, SEND, op("complete", which="newest"), COLLECTS)


class _NoWrapCounter(DeviceQueue):
    """Marks as used as if it were always in the first lap."""

    def push(self, head: int, length: int) -> bool:
        at = (self._desc >> 1) + 8 * (self._used % max(self.layout.size, 1)) + 7
        pushed = super().push(head, length)
        if pushed:
            self._u16[at] |= DESC_MARKS
        return pushed


class _AtItsChain(DeviceQueue):
    """Returns a chain where it was made available, not behind the last one."""

    def __init__(self, *args: object) -> None:
        self._at: dict[int, int] = {}
        super().__init__(*args)  # type: ignore[arg-type]  # as it is

    def pop(self) -> Chain | None:
        place = self._avail
        chain = super().pop()
        if chain is not None:
            self._at[chain.head] = place
        return chain

    def push(self, head: int, length: int) -> bool:
        next_, self._used = self._used, self._at.get(head, self._used)
        pushed = super().push(head, length)
        self._used = (next_ + self._lengths.get(head, 1)) % max(self.layout.places, 1)
        return pushed


class _MarksAll(DeviceQueue):
    """Marks each descriptor of a chain that it returns."""

    def push(self, head: int, length: int) -> bool:
        first, count = self._used, self._lengths.get(head, 1)
        pushed = super().push(head, length)
        for number in range(1, count) if pushed else ():
            place = (first + number) % self.layout.places
            at = (self._desc >> 1) + 8 * (place % self.layout.size) + 7
            self._u16[at] = self.layout.used_at(place)
        return pushed


class _ClearsLength(DeviceQueue):
    """Writes the length of the first descriptor when it takes a chain."""

    def pop(self) -> Chain | None:
        place = self._avail % max(self.layout.size, 1)
        chain = super().pop()
        if chain is not None:
            self._u32[(self._desc + 16 * place >> 2) + 2] = 0
        return chain


class NoWrapCounter(VirtioBlk):
    packed_queue = _NoWrapCounter


class AtItsChain(VirtioBlk):
    packed_queue = _AtItsChain


class MarksAll(VirtioBlk):
    packed_queue = _MarksAll


class ClearsLength(VirtioBlk):
    packed_queue = _ClearsLength


def signatures(device: str, ops: tuple[Op, ...], size: int, *schedule: Deviation) -> list[str]:
    scenario = Scenario(DeviceConfig(ring="packed", queue_size=size), ops, schedule)
    with model(device, "inline") as target:
        return [each.signature for each in judge(scenario, target.run(scenario)).causes]


@pytest.mark.parametrize(
    ("device", "ops", "size", "found"),
    [
        (NoWrapCounter, LAPS, 4, ["s24-descriptors"]),
        (AtItsChain, HELD, 16, ["s24-descriptors"]),
        (MarksAll, LAPS, 16, ["s24-descriptors"]),
        (ClearsLength, HELD, 16, ["s24-descriptors"]),
    ],
)
def test_a_mistake_is_seen(
    device: type[VirtioBlk], ops: tuple[Op, ...], size: int, found: list[str]
) -> None:
    assert signatures("reference", ops, size) == []
    assert signatures(f"{__name__}:{device.__name__}", ops, size) == found


@pytest.mark.parametrize("name", ["descriptor_marked", "last_entry_lost"])
def test_a_planted_one_is_seen(name: str) -> None:
    held = (op("hold"), SEND, COLLECTS)
    found = signatures(f"reference+{name}", (INIT, *(SEND, COLLECTS) * 4, *held), 4)
    assert found == ["s24-descriptors"]


def test_a_delayed_store_is_no_lost_entry() -> None:
    """What the device writes last is hidden until it goes on; in the end the driver finds it."""
    ops = (INIT, SEND, COLLECTS, COLLECTS)
    for point in range(1, 12):
        delay = Deviation(1, point, Go.NEXT, delayed=True)
        assert signatures("reference", ops, 16, delay) == []
