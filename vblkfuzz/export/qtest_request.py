"""A shaped request as the program of `qtest_file` takes it: its buffers, by offsets in a slot.

The driver itself builds the request, in memory of its own, so the program needs no list of shapes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from vblkfuzz.driver.blk import BLK
from vblkfuzz.driver.memory_map import AREAS, SLOTS
from vblkfuzz.driver.shape import Plain, changes, reshape
from vblkfuzz.limits import GUEST_MEMORY_SIZE
from vblkfuzz.scenario.alphabet.shape import SHAPES, Answer, answer
from vblkfuzz.virtio.driver_queue import QueueFull
from vblkfuzz.virtio.memory import GuestMemory
from vblkfuzz.virtio.store_buffer import differences

if TYPE_CHECKING:
    from vblkfuzz.driver.request import Segments
    from vblkfuzz.scenario.op import Op

_SLOT: Final = SLOTS[0][0]
_TABLE_MOVED: Final = SHAPES.index("table_moved")


def is_shaped(operation: Op) -> bool:
    """Return whether an operation publishes a request that is not plain."""
    return "shape" in operation.args and changes(BLK, operation.c, operation.b, _SLOT.table)


def shaped(operation: Op, ring: int) -> dict[str, Any] | None:
    """Return the arguments that a shaped request has beside those of a plain one.

    Args:
        operation: publishes a request that `is_shaped`.
        ring: entries of the ring.

    Returns:
        None if the request does not fit into the ring, so that the driver sends none.
    """
    _, _, code, shape, sector, more = operation
    memory = GuestMemory(memoryview(bytearray(GUEST_MEMORY_SIZE)))
    plain = BLK.build(memory, _SLOT, code, sector, more + 1, 0)  # the program writes the data
    before = bytes(memory.bytes[AREAS[_SLOT.header]])
    try:
        buffers, table = reshape(Plain(memory, _SLOT, plain, ring, code, BLK), shape, _SLOT.table)
    except QueueFull:
        return None
    after = bytes(memory.bytes[AREAS[_SLOT.header]])
    laid: dict[str, Any] = {
        "readable": _offsets(buffers.readable),
        "writable": _offsets(buffers.writable),
    }
    if stores := _stores(before, after):
        laid["stores"] = stores
    if table != _SLOT.table and table is not None:
        laid["table"] = table - _SLOT.header
    refused = answer(shape, code) > Answer.MAY_REFUSE
    return {"shape": SHAPES[shape], "buffers": laid} | ({"refused": True} if refused else {})


def _stores(before: bytes, after: bytes) -> list[tuple[int, str]]:
    """Return where a slot has changed, and the bytes there in hexadecimal form."""
    runs: list[tuple[int, bytes]] = []
    for at, byte in differences(after, before, 0, len(after)):
        if runs and runs[-1][0] + len(runs[-1][1]) == at:
            runs[-1] = runs[-1][0], runs[-1][1] + byte
        else:
            runs.append((at, byte))
    return [(at, run.hex()) for at, run in runs]


def _offsets(buffers: Segments) -> list[tuple[int, int]]:
    return [(address - _SLOT.header, length) for address, length in buffers]
