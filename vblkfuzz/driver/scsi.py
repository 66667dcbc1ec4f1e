"""Writes virtio-scsi requests into slots and reads their responses (virtio 1.2, 5.6.6).

    request        command                                    data
    in, out        READ(10), WRITE(10)                        the sectors
    flush          SYNCHRONIZE CACHE(10)
    get_id         INQUIRY, page 80h                          its header, then the serial number
    discard        UNMAP                                      one range
    write_zeroes   WRITE SAME(10)                             one block of zeroes
    unsupported    FFh

A response is taken for the ending that a virtio-blk request would have: OK; UNSUPP if the unit does
not know the command; IOERR for all other failures. UNIT ATTENTION and BUSY are RETRY: nothing was
done, as after each reset of the device with the first command. ABORTED and RESET are ABORTED, which
task management causes (`driver.side_queues`). A response that contradicts itself
(`virtio.request.scsi.Answer.is_sound`), or says that there is no such unit, is no status.

Header, response and range lie in the spare part of a slot. The tag is the address of the slot.
Which unit a request is for: `scenario.device.DeviceConfig.unit_of`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from vblkfuzz.driver.memory_map import AREAS, SIDE_QUEUES
from vblkfuzz.driver.request import POISON, STATUS_POISON, Segmented
from vblkfuzz.limits import SECTOR_SIZE
from vblkfuzz.scenario.alphabet.guest import REQUESTS
from vblkfuzz.scenario.alphabet.shape import SHAPES
from vblkfuzz.trace.ending import (
    ABORTED,
    ENDED_IOERR,
    ENDED_OK,
    ENDED_UNSUPP,
    NO_STATUS,
    PUSHED_AS,
    RETRY,
)
from vblkfuzz.trace.sector_data import written
from vblkfuzz.virtio.request.blk import ID_SIZE, gather
from vblkfuzz.virtio.request.scsi import (
    CDB_AT,
    CDB_SIZE,
    HEADER_SIZE,
    INVALID_OPCODE,
    RESPONSE_SIZE,
    SERIAL_AT,
    UNMAP_LIST,
    Opcode,
    ScsiResponse,
    ScsiStatus,
    SenseKey,
    answer_in,
    command_10,
    data_size,
    header,
    inquire_serial,
    unmap_command,
    unmap_list,
)

if TYPE_CHECKING:
    from vblkfuzz.driver.memory_map import Slot
    from vblkfuzz.driver.request import Segments
    from vblkfuzz.scenario.device import DeviceConfig
    from vblkfuzz.virtio.memory import GuestMemory

RESPONSE_AT: Final = 64
_RANGE_AT: Final = 192
"""Offsets in the spare part of a slot."""
SERIAL_SIZE: Final = SERIAL_AT + ID_SIZE
"""Bytes of the answer to an INQUIRY of the serial number."""
_SHAPES: Final = ("split", "tiny", "long", "header_split")
"""Those that leave the content of a request as it is, its response in one buffer, and the spare
part of a slot alone."""
_ZEROES: Final = bytes(SECTOR_SIZE)


class ScsiForm:
    """Satisfies `driver.request.RequestForm`."""

    status_at = 0
    status_size = RESPONSE_SIZE
    shapes = frozenset(SHAPES.index(name) for name in _SHAPES)
    has_capacity = False
    side_queues: tuple[int, ...] = SIDE_QUEUES

    def __init__(self, device: DeviceConfig) -> None:
        """Write requests for this device."""
        self.unit_of = device.unit_of

    def build(
        self, memory: GuestMemory, slot: Slot, code: int, sector: int, sectors: int, serial: int
    ) -> Segmented:
        """Write a request into a slot; see `RequestForm.build`."""
        data, name = memory.bytes, REQUESTS[code]
        data[slot.spare : slot.spare + HEADER_SIZE] = header(
            _command(name, sector, sectors), slot.spare, self.unit_of(sector)
        )
        response = slot.spare + RESPONSE_AT
        data[response : response + RESPONSE_SIZE] = bytes([STATUS_POISON]) * RESPONSE_SIZE
        out, size = _data_to_device(name, sector, sectors, serial), _size_of_answer(name, sectors)
        at = slot.spare + _RANGE_AT if name == "discard" else slot.data
        data[at : at + len(out)] = out
        data[slot.data : slot.data + size] = POISON[:size]
        return Segmented(
            ((slot.spare, HEADER_SIZE), *([(at, len(out))] if out else [])),
            ((response, RESPONSE_SIZE), *([(slot.data, size)] if size else [])),
        )

    def area(self, slot: Slot, sectors: int) -> slice:
        """Return the whole slot: its first and its last part are needed."""
        return AREAS[slot.header]

    def straighten(self, memory: GuestMemory, slot: Slot, buffers: Segmented) -> None:
        """Move the data to where that of a plain request is; the response is there."""
        found = gather(memory, buffers.writable[1:])
        memory.bytes[slot.data : slot.data + len(found)] = found

    def ending(self, memory: GuestMemory, slot: Slot) -> int:
        """Return what the response tells; no more data can be left than the command has."""
        response = memory.read(slot.spare + RESPONSE_AT, RESPONSE_SIZE)
        command = memory.read(slot.spare + CDB_AT, CDB_SIZE)
        left = answer_in(response).residual
        return ending_of(response) if left <= data_size(command) else NO_STATUS

    def status(self, memory: GuestMemory, writable: Segments) -> int:
        """Return the status of virtio-blk for the response, 0 for one that says nothing."""
        address, length = writable[0]
        if length < RESPONSE_SIZE:
            return 0
        return PUSHED_AS.get(ending_of(memory.read(address, RESPONSE_SIZE)), STATUS_POISON)

    def id_at(self, slot: Slot) -> int:
        """Return the address of the serial number in the page."""
        return slot.data + SERIAL_AT


def ending_of(response: bytes) -> int:
    """Return the ending (`trace.ending`) that a response tells; NO_STATUS if it is not sound."""
    answer = answer_in(response)
    if not answer.is_sound or answer.response == ScsiResponse.BAD_TARGET:  # all units are there
        return NO_STATUS
    if answer.response != ScsiResponse.OK:
        return _WITHOUT_STATUS.get(answer.response, ENDED_IOERR)
    if answer.status == ScsiStatus.GOOD:
        return ENDED_OK
    if answer.status == ScsiStatus.BUSY or answer.key == SenseKey.UNIT_ATTENTION:
        return RETRY
    unknown = answer.key == SenseKey.ILLEGAL_REQUEST and answer.code == INVALID_OPCODE
    return ENDED_UNSUPP if unknown else ENDED_IOERR


_WITHOUT_STATUS: Final[Mapping[int, int]] = {
    ScsiResponse.BUSY: RETRY,
    ScsiResponse.ABORTED: ABORTED,
    ScsiResponse.RESET: ABORTED,
}
"""Endings of a request that its unit has not ended, by response; others are failures."""


def _command(name: str, sector: int, sectors: int) -> bytes:
    if name == "flush":
        return command_10(Opcode.SYNCHRONIZE_CACHE_10, 0, 0)
    if name == "get_id":
        return inquire_serial(SERIAL_SIZE)
    if name == "discard":
        return unmap_command()
    return command_10(_OPCODES[name], sector, sectors)


_OPCODES: Final = {
    "in": Opcode.READ_10,
    "out": Opcode.WRITE_10,
    "write_zeroes": Opcode.WRITE_SAME_10,
    "unsupported": Opcode.VENDOR,
}
"""By request type, of commands about a range of blocks."""


def _data_to_device(name: str, sector: int, sectors: int, serial: int) -> bytes:
    if name == "out":
        return written(serial, sector, sectors)
    if name == "discard":
        return unmap_list(sector, sectors)
    return _ZEROES if name == "write_zeroes" else b""


def _size_of_answer(name: str, sectors: int) -> int:
    """Return how many bytes of data the device writes."""
    return {"in": sectors * SECTOR_SIZE, "get_id": SERIAL_SIZE}.get(name, 0)


assert _RANGE_AT >= RESPONSE_AT + RESPONSE_SIZE
assert RESPONSE_AT >= HEADER_SIZE
assert _RANGE_AT + UNMAP_LIST.size <= 640
