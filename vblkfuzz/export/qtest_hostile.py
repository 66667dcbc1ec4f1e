"""Contents that break the protocol as the program of `qtest_file` takes them: three descriptors.

The driver itself breaks the chain, in memory of its own (`driver.hostile`). The program has those
contents that let no device write where the program looks for wrong writes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from vblkfuzz.driver.blk import BLK
from vblkfuzz.driver.hostile import BREAKS, opened
from vblkfuzz.driver.memory_map import AREAS, SLOTS
from vblkfuzz.limits import GUEST_MEMORY_SIZE
from vblkfuzz.scenario.alphabet.guest import HOSTILE_CONTENTS
from vblkfuzz.virtio.layout import DESCRIPTOR, DESCRIPTOR_SIZE, RingLayout
from vblkfuzz.virtio.memory import GuestMemory
from vblkfuzz.virtio.split.driver_queue import DriverQueue

if TYPE_CHECKING:
    from vblkfuzz.scenario.op import Op

_SLOT: Final = SLOTS[0][0]
_RING: Final = 8
"""Entries of the ring in which the chain is broken."""


def is_shown(operation: Op) -> bool:
    """Whether an operation makes such contents available, and the program can do that."""
    return operation.name == "hostile" and not opened(operation.b, _SLOT)


def broken(operation: Op) -> dict[str, Any]:
    """Return the arguments of an operation that `is_shown`."""
    memory = GuestMemory(memoryview(bytearray(GUEST_MEMORY_SIZE)))
    queue = DriverQueue(memory, RingLayout.place(_RING, 4096), event_idx=False)
    head = queue.add(*BLK.build(memory, _SLOT, 0, 0, 1, 0))
    table = _SLOT.table
    chain = queue.outstanding[head]
    BREAKS[operation.b](queue, _SLOT, chain)
    found = [_descriptor(memory, queue.layout.desc + DESCRIPTOR_SIZE * one, chain) for one in chain]
    nested = bytes(memory.bytes[table : table + DESCRIPTOR_SIZE])
    stores = [(table - _SLOT.header, table - _SLOT.header, nested[8:].hex())] if any(nested) else []
    content = HOSTILE_CONTENTS[operation.b]
    return {"queue": operation.a, "content": content, "chain": found, "stores": stores}


def _descriptor(memory: GuestMemory, at: int, chain: list[int]) -> tuple[int, int, int, int]:
    """Return a descriptor: with an offset in the slot, and a position in the chain."""
    address, size, flags, following = DESCRIPTOR.unpack_from(memory.bytes, at)
    area = AREAS[_SLOT.header]
    if area.start <= address < area.stop:
        address -= _SLOT.header
    return address, size, flags, chain.index(following) if following in chain else 0
