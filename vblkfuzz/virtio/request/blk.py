"""Requests and configuration of a virtio-blk device (virtio 1.2, 5.2).

A request is a chain: a header of 16 bytes, data to or from the device, and a status byte which
the device writes last. `parse_request` finds these three parts however the driver has split them
into buffers (2.7.4: framing is independent of content). `gather` and `scatter` move data between
segments and bytes.

Next: `chain` for chains, `ring_error` for the errors of a bad request.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from enum import IntEnum
from operator import attrgetter
from struct import Struct
from typing import Final, NamedTuple
from zlib import crc32

from vblkfuzz.virtio.chain import Chain, Segment
from vblkfuzz.virtio.memory import GuestMemory
from vblkfuzz.virtio.ring_error import (
    RequestHeaderMissing,
    RequestHeaderShort,
    RequestStatusMissing,
)

F_SIZE_MAX: Final = 1
F_SEG_MAX: Final = 2
F_RO: Final = 5
F_BLK_SIZE: Final = 6
F_FLUSH: Final = 9
F_TOPOLOGY: Final = 10
F_CONFIG_WCE: Final = 11
F_MQ: Final = 12
F_DISCARD: Final = 13
F_WRITE_ZEROES: Final = 14
"""Feature bits (5.2.3)."""

REQUEST_HEADER: Final = Struct("<IIQ")
"""Request header: type u32, reserved u32, sector u64 (5.2.6)."""

DISCARD_SEGMENT: Final = Struct("<QII")
"""Data of DISCARD and WRITE_ZEROES: sector u64, sectors u32, flags u32 (5.2.6)."""

UNMAP: Final = 1
"""The only flag of a segment that the standard knows, for WRITE_ZEROES (5.2.6)."""

HEADER_SIZE: Final = REQUEST_HEADER.size
STATUS_SIZE: Final = 1
ID_SIZE: Final = 20
"""Length of the answer to GET_ID (bytes, 5.2.6)."""

DATA_TO_DEVICE: Final = 1
"""This bit is set in each request type whose data the device reads: OUT, DISCARD, WRITE_ZEROES."""


class RequestType(IntEnum):
    """Request types (5.2.6)."""

    IN = 0
    OUT = 1
    FLUSH = 4
    GET_ID = 8
    DISCARD = 11
    WRITE_ZEROES = 13


class BlkStatus(IntEnum):
    """The status byte (5.2.6)."""

    OK = 0
    IOERR = 1
    UNSUPP = 2


class BlkRequest(NamedTuple):
    """A parsed request.

    `type` is the number that the driver wrote, known or not. `sector` is in units of 512 bytes.
    `readable` are the data segments after the header, `writable` those before the status byte.
    """

    type: int
    sector: int
    readable: tuple[Segment, ...]
    writable: tuple[Segment, ...]
    status_address: int

    @property
    def data_length(self) -> int:
        """Length of the data (bytes) in the direction of the request type."""
        segments = self.readable if self.type & DATA_TO_DEVICE else self.writable
        if len(segments) == 1:  # the usual case
            return segments[0][1]
        return sum([length for _, length in segments])


def parse_request(memory: GuestMemory, chain: Chain) -> BlkRequest:
    """Find header, data and status of a request (5.2.6; QEMU: virtio_blk_handle_request).

    Raises:
        RequestHeaderMissing: no segment is device-readable.
        RequestStatusMissing: no segment is device-writable.
        RequestHeaderShort: fewer than 16 bytes are device-readable.
        AddressError: the header lies outside guest memory; `walk_chain` returns no such chain.
    """
    head, readable, writable = chain
    if not readable:
        raise RequestHeaderMissing(f"head {head}")
    if not writable:
        raise RequestStatusMissing(f"head {head}")
    address, length = readable[0]
    if length == HEADER_SIZE:  # the usual case: the header has its own descriptor
        header, readable = memory.read(address, HEADER_SIZE), readable[1:]
    else:
        header, readable = _split_header(memory, chain)
    address, length = writable[-1]
    if length == STATUS_SIZE:
        writable = writable[:-1]
    else:
        writable = (*writable[:-1], (address, length - STATUS_SIZE))
    kind, _, sector = REQUEST_HEADER.unpack(header)
    return BlkRequest(kind, sector, readable, writable, address + length - STATUS_SIZE)


def _split_header(memory: GuestMemory, chain: Chain) -> tuple[bytes, tuple[Segment, ...]]:
    """Return the first 16 device-readable bytes, joined, and the segments after them."""
    header = b""
    for position, (address, length) in enumerate(chain.readable):
        part = min(length, HEADER_SIZE - len(header))
        header += memory.read(address, part)
        if len(header) == HEADER_SIZE:
            rest = ((address + part, length - part),) if part < length else ()
            return header, (*rest, *chain.readable[position + 1 :])
    raise RequestHeaderShort(f"head {chain.head}: {len(header)} bytes")


def gather(memory: GuestMemory, segments: Sequence[Segment]) -> bytes:
    """Return the bytes of all segments, joined.

    Raises:
        AddressError: a segment lies outside guest memory.
    """
    if len(segments) == 1:
        return memory.read(*segments[0])
    return b"".join([memory.read(address, length) for address, length in segments])


def scatter(memory: GuestMemory, segments: Iterable[Segment], data: bytes) -> int:
    """Write `data` into the segments in order; return the number of bytes that did fit.

    Raises:
        AddressError: a segment that is needed lies outside guest memory.
    """
    done = 0
    for address, length in segments:
        if done == len(data):
            break
        part = data[done : done + length]
        memory.write(address, part)
        done += len(part)
    return done


def id_digest(device_id: bytes) -> int:
    """Return a digest (u16) of a device id: of 20 bytes, those before the first NUL (5.2.6)."""
    return crc32(device_id[:ID_SIZE].partition(b"\0")[0]) & 0xFFFF


class ClearedRange(NamedTuple):
    """What a DISCARD or WRITE_ZEROES is about."""

    sector: int
    """First sector."""
    sectors: int
    flags: int


def cleared_sectors(memory: GuestMemory, request: BlkRequest) -> ClearedRange:
    """Return the segment of a DISCARD or WRITE_ZEROES; all zeroes if its length is wrong.

    A device without max_discard_seg has to support one segment only (5.2.4).

    Raises:
        AddressError: the segment lies outside guest memory.
    """
    data = gather(memory, request.readable)
    if len(data) != DISCARD_SEGMENT.size:
        return ClearedRange(0, 0, 0)
    return ClearedRange(*DISCARD_SEGMENT.unpack(data))


WRITEBACK_AT: Final = 32
"""Offset of the field `writeback`, one byte, in the device configuration (5.2.4)."""
CONFIG_LAYOUT: Final = Struct("<QIIHBBIBBHIBxHIIIIIB3x")


@dataclass(frozen=True, slots=True)
class ConfigSpace:
    """The device configuration (5.2.4), fields in the order of the standard.

    `capacity` is in sectors of 512 bytes, `blk_size` in bytes, `min_io_size` and `opt_io_size` in
    blocks. The configuration generation belongs to the transport.
    """

    capacity: int
    size_max: int = 0
    seg_max: int = 0
    cylinders: int = 0
    heads: int = 0
    sectors: int = 0
    blk_size: int = 512
    physical_block_exp: int = 0
    alignment_offset: int = 0
    min_io_size: int = 0
    opt_io_size: int = 0
    writeback: int = 1
    num_queues: int = 1
    max_discard_sectors: int = 0
    max_discard_seg: int = 0
    discard_sector_alignment: int = 0
    max_write_zeroes_sectors: int = 0
    max_write_zeroes_seg: int = 0
    write_zeroes_may_unmap: int = 0

    def to_bytes(self) -> bytes:
        """Return the 60 bytes of the configuration, as a driver reads them."""
        return CONFIG_LAYOUT.pack(*_CONFIG_VALUES(self))


_CONFIG_VALUES: Final = attrgetter(*[field.name for field in fields(ConfigSpace)])
