"""Requests of a virtio-scsi device (virtio 1.2, 5.6) and the SCSI commands that they carry.

A request is a chain: a header with LUN, tag and command (CDB), data to the device, the response,
data from the device. Unlike the status of virtio-blk the response comes first among the buffers
that the device writes. Commands and sense data are those of SPC and SBC; numbers in them are big
endian, those of virtio little endian.

Next: `driver.scsi`, which writes requests and reads responses.
"""

from __future__ import annotations

from enum import IntEnum
from struct import Struct
from typing import Final, NamedTuple

from vblkfuzz.limits import SECTOR_SIZE

CONTROL_QUEUE: Final = 0
EVENT_QUEUE: Final = 1
FIRST_REQUEST_QUEUE: Final = 2
"""Virtqueues (5.6.2)."""

CDB_SIZE: Final = 32
SENSE_SIZE: Final = 96
"""Bytes, as a device has them after a reset (5.6.4)."""

REQUEST_HEADER: Final = Struct(f"<8sQBBB{CDB_SIZE}s")
"""lun, id u64, task_attr, prio, crn, cdb (5.6.6.1)."""
RESPONSE: Final = Struct(f"<IIHBB{SENSE_SIZE}s")
"""sense_len u32, residual u32, status_qualifier u16, status u8, response u8, sense (5.6.6.1)."""

HEADER_SIZE: Final = REQUEST_HEADER.size
CDB_AT: Final = HEADER_SIZE - CDB_SIZE
"""Offset of the command in a header."""
RESPONSE_SIZE: Final = RESPONSE.size

SERIAL_PAGE: Final = 0x80
"""Vital product data: the serial number of the unit (SPC)."""
SERIAL_AT: Final = 4
"""Bytes of that page before the serial number."""

UNMAP_LIST: Final = Struct(">HHIQII")
"""Parameters of an UNMAP with one range: length of what follows, length of the ranges, reserved,
first block, blocks, reserved (SBC)."""


class Opcode(IntEnum):
    """First byte of a command."""

    INQUIRY = 0x12
    READ_10 = 0x28
    WRITE_10 = 0x2A
    SYNCHRONIZE_CACHE_10 = 0x35
    WRITE_SAME_10 = 0x41
    UNMAP = 0x42
    VENDOR = 0xFF
    """Of no command that a disk knows."""


class ScsiResponse(IntEnum):
    """What the transport says of a request (5.6.6.1)."""

    OK = 0
    OVERRUN = 1
    ABORTED = 2
    BAD_TARGET = 3
    RESET = 4
    BUSY = 5
    TRANSPORT_FAILURE = 6
    TARGET_FAILURE = 7
    NEXUS_FAILURE = 8
    FAILURE = 9


class ScsiStatus(IntEnum):
    """What the unit says of a command (SAM)."""

    GOOD = 0
    CHECK_CONDITION = 2
    BUSY = 8


class SenseKey(IntEnum):
    """Why a command has ended with CHECK CONDITION (SPC)."""

    ILLEGAL_REQUEST = 5
    UNIT_ATTENTION = 6


INVALID_OPCODE: Final = 0x20
"""Additional sense code: the unit does not know the command (SPC)."""


def lun(unit: int) -> bytes:
    """Return the address of a unit of the first target (5.6.6.1)."""
    return bytes([1, 0, 0x40, unit, 0, 0, 0, 0])


def header(cdb: bytes, tag: int, unit: int) -> bytes:
    """Return a request header for a unit of the first target."""
    return REQUEST_HEADER.pack(lun(unit), tag, 0, 0, 0, cdb)


def command_10(opcode: Opcode, block: int, blocks: int) -> bytes:
    """Return a command of ten bytes about a range of blocks."""
    return Struct(">BBIBHB").pack(opcode, 0, block, 0, blocks, 0)


def unmap_command() -> bytes:
    """Return an UNMAP whose parameters are an `UNMAP_LIST`."""
    return Struct(">BBIBHB").pack(Opcode.UNMAP, 0, 0, 0, UNMAP_LIST.size, 0)


def unmap_list(block: int, blocks: int) -> bytes:
    """Return the parameters of an UNMAP of one range."""
    return UNMAP_LIST.pack(UNMAP_LIST.size - 2, 16, 0, block, blocks, 0)


def inquire_serial(size: int) -> bytes:
    """Return an INQUIRY of the serial number; `size`: bytes that its answer may have."""
    return bytes([Opcode.INQUIRY, 1, SERIAL_PAGE, size >> 8, size & 0xFF, 0])


def data_size(cdb: bytes) -> int:
    """Return how many bytes of data a command of those above moves, in either direction."""
    size, blocks = int.from_bytes(cdb[3:5], "big"), int.from_bytes(cdb[7:9], "big")
    sizes: dict[int, int] = {
        Opcode.INQUIRY: size,
        Opcode.READ_10: blocks * SECTOR_SIZE,
        Opcode.WRITE_10: blocks * SECTOR_SIZE,
        Opcode.WRITE_SAME_10: SECTOR_SIZE,
        Opcode.UNMAP: blocks,  # here a number of bytes
    }
    return sizes.get(cdb[0], 0)


class Answer(NamedTuple):
    """A response as the driver understands it."""

    sense_length: int
    residual: int
    status: int
    response: int
    sense: bytes

    @property
    def is_sound(self) -> bool:
        """Whether it does not contradict itself, and its numbers are those of the standards.

        A command that ends well has moved all its bytes and has no sense data; CHECK CONDITION
        comes with sense data of the fixed or the descriptor format, as long as that says, as far as
        there is room.
        """
        if self.response not in _RESPONSES or self.sense_length > SENSE_SIZE:
            return False
        if self.response != ScsiResponse.OK:
            return True
        if self.status == ScsiStatus.GOOD:
            return not (self.residual or self.sense_length)
        if self.status == ScsiStatus.CHECK_CONDITION:
            told = min(_LEAST_SENSE + self.sense[_MORE_AT], SENSE_SIZE)
            return self.sense_length >= told and self.sense[0] & 0x7F in _FORMATS
        return self.status == ScsiStatus.BUSY

    @property
    def key(self) -> int:
        """Sense key; only of a CHECK CONDITION."""
        return self.sense[1 if self._is_descriptor else 2] & 0xF

    @property
    def code(self) -> int:
        """Additional sense code, 0 if it is left out; only of a CHECK CONDITION."""
        at = 2 if self._is_descriptor else 12
        return self.sense[at] if at < self.sense_length else 0

    @property
    def _is_descriptor(self) -> bool:
        return self.sense[0] & 0x7F in (0x72, 0x73)


_RESPONSES: Final = frozenset(map(int, ScsiResponse))
_LEAST_SENSE, _MORE_AT = 8, 7
"""Bytes of any sense data; the last of them is the number of further ones (SPC)."""
_FORMATS: Final = frozenset({0x70, 0x71, 0x72, 0x73})


def answer_in(response: bytes) -> Answer:
    """Return the response in the first `RESPONSE_SIZE` bytes that a device has written."""
    length, residual, _, status, transport, sense = RESPONSE.unpack_from(response)
    return Answer(length, residual, status, transport, sense)
