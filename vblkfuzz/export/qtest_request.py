"""A shaped request as the program of `qtest_file` takes it: its buffers, by offsets in a slot.

The driver itself builds the request, in memory of its own, so the program needs no list of shapes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from vblkfuzz.driver.blk import BLK
from vblkfuzz.driver.memory_map import AREAS, SLOTS
from vblkfuzz.driver.request import POISON, STATUS_POISON
from vblkfuzz.driver.scsi import RESPONSE_AT
from vblkfuzz.driver.shape import Plain, changes, reshape
from vblkfuzz.limits import GUEST_MEMORY_SIZE
from vblkfuzz.scenario.alphabet.guest import REQUESTS
from vblkfuzz.scenario.alphabet.shape import SHAPES, Answer, answer
from vblkfuzz.virtio.memory import GuestMemory
from vblkfuzz.virtio.queue import QueueFull
from vblkfuzz.virtio.request.scsi import RESPONSE_SIZE
from vblkfuzz.virtio.store_buffer import differences

if TYPE_CHECKING:
    from vblkfuzz.driver.request import RequestForm, Segmented, Segments
    from vblkfuzz.scenario.op import Op

_SLOT: Final = SLOTS[0][0]
_PLAIN: Final = SHAPES.index("plain")
_OUT: Final = REQUESTS.index("out")


def is_shaped(operation: Op) -> bool:
    """Return whether an operation publishes a request that is not plain."""
    return "shape" in operation.args and changes(BLK, operation.c, operation.b, _SLOT.table)


def shaped(operation: Op, ring: int, form: RequestForm) -> dict[str, Any] | None:
    """Return the arguments of a request that is not a plain one of virtio-blk, beside those of one.

    Args:
        operation: publishes a request that `is_shaped`, or one of another form.
        ring: entries of the ring.
        form: of the request.

    Returns:
        None if the request does not fit into the ring, so that the driver sends none.
    """
    _, _, code, shape, _, _ = operation
    memory = GuestMemory(memoryview(bytearray(GUEST_MEMORY_SIZE)))
    build = _filled_in if form is BLK else _written
    plain, before = build(memory, form, operation)
    if not changes(form, shape, code, _SLOT.table):
        shape = _PLAIN
    try:
        buffers, table = reshape(Plain(memory, _SLOT, plain, ring, code, form), shape, _SLOT.table)
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
    name = {"shape": SHAPES[shape]} if shape else {}
    return name | {"buffers": laid} | ({"refused": True} if refused else {})


def _filled_in(memory: GuestMemory, form: RequestForm, operation: Op) -> tuple[Segmented, bytes]:
    """Return the buffers of a request that the program fills in itself, and the slot after that."""
    _, _, code, _, sector, more = operation
    plain = form.build(memory, _SLOT, code, sector, more + 1, 0)
    return plain, bytes(memory.bytes[AREAS[_SLOT.header]])


def _written(memory: GuestMemory, form: RequestForm, operation: Op) -> tuple[Segmented, bytes]:
    """Return the buffers of a request that the program does not know, and the slot before it.

    The program has filled the data and the response with poison by then; it writes the data of a
    write itself.
    """
    _, _, code, _, sector, more = operation
    response = _SLOT.spare + RESPONSE_AT
    data = slice(_SLOT.data, _SLOT.data + len(POISON))
    memory.bytes[data] = POISON
    memory.bytes[response : response + RESPONSE_SIZE] = bytes([STATUS_POISON]) * RESPONSE_SIZE
    before = bytes(memory.bytes[AREAS[_SLOT.header]])
    plain = form.build(memory, _SLOT, code, sector, more + 1, 0)
    if code == _OUT:
        memory.bytes[data] = POISON
    return plain, before


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
