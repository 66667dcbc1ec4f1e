"""Contents that break the protocol, in the exported program: those of the driver, byte for byte."""

from __future__ import annotations

from typing import Any

import pytest

from tests.export.test_qtest_schedule import run
from tests.targets.qemu.binary import NEEDS_QEMU
from vblkfuzz.driver.blk import BLK
from vblkfuzz.driver.hostile import BREAKS
from vblkfuzz.driver.memory_map import SLOTS
from vblkfuzz.export.qtest_file import program
from vblkfuzz.export.qtest_hostile import broken, is_shown
from vblkfuzz.limits import GUEST_MEMORY_SIZE
from vblkfuzz.scenario.alphabet.guest import HOSTILE_CONTENTS
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.virtio.layout import RingLayout
from vblkfuzz.virtio.memory import GuestMemory
from vblkfuzz.virtio.split.driver_queue import DriverQueue

SHOWN = (
    "loop",
    "address_out_of_range",
    "zero_length",
    "short_header",
    "no_status",
    "nested_indirect",
)
AT = 0x100000
SIZE = 8


class Written:
    """Guest memory of the program: what it stores, and what it kicks."""

    transcript = False

    def __init__(self) -> None:
        self.bytes = bytearray(1 << 21)
        self.kicks: list[str] = []

    def qtest(self, line: str) -> str:
        command, *words = line.split()
        if command == "writew":
            self.kicks.append(words[0])
            return ""
        start, size, *data = words
        part = slice(int(start, 0), int(start, 0) + int(size))
        if command == "write":
            self.bytes[part] = bytes.fromhex(data[0][2:])
        elif command == "memset":
            self.bytes[part] = bytes([int(data[0], 0)]) * int(size)
        return "0x" + self.bytes[part].hex()


def test_contents_that_let_a_device_write_elsewhere_are_not_shown() -> None:
    shown = [name for name in HOSTILE_CONTENTS if is_shown(op("hostile", content=name))]
    assert shown == [name for name in HOSTILE_CONTENTS if name in SHOWN]
    assert not is_shown(op("kick"))


@pytest.mark.parametrize("content", SHOWN)
def test_it_stores_what_the_driver_stores(content: str) -> None:
    filled: dict[str, Any] = {"__name__": __name__}
    exec(compile(program(Scenario(), ""), "reproducer.py", "exec"), filled)
    written = Written()
    guest = filled["Guest"](written)
    guest.rings = [filled["Ring"](guest, AT)]
    guest.hostile(**broken(op("hostile", content=content)))
    assert guest.broken
    assert written.kicks == ["0xe0003000"]

    memory = GuestMemory(memoryview(bytearray(GUEST_MEMORY_SIZE)))
    queue, slot = DriverQueue(memory, RingLayout.place(SIZE, 4096), event_idx=False), SLOTS[0][0]
    head = queue.add(*BLK.build(memory, slot, 0, 0, 1, 0))
    BREAKS[HOSTILE_CONTENTS.index(content)](queue, slot, queue.outstanding[head])
    moved = guest.rings[0].out[0]["slot"] - slot.header

    def descriptors(data: bytes, at: int, by: int) -> list[tuple[int, bytes]]:
        parts = [data[at + 16 * one : at + 16 * one + 16] for one in range(3)]
        numbers = [int.from_bytes(part[:8], "little") for part in parts]
        return [
            (number + by * (number < 1 << 32), part[8:])
            for number, part in zip(numbers, parts, strict=True)
        ]

    expected = descriptors(bytes(memory.bytes), queue.layout.desc, moved)
    assert descriptors(bytes(written.bytes), AT, 0) == expected
    table = bytes(memory.bytes[slot.table + 8 : slot.table + 16])
    assert bytes(written.bytes[slot.table + moved + 8 :][:8]) == table


@pytest.mark.realdevice
@NEEDS_QEMU
def test_a_qemu_is_broken_by_it() -> None:
    """It serves nothing until it is reset, and that is not wrong."""
    read = op("publish_kick", request="in")
    ops = (op("init"), op("hostile", content="address_out_of_range"), read, op("init"), read)
    assert run(program(Scenario(ops=ops), "")) == (0, ["nothing is wrong"], "")
