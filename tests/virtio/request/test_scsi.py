"""The layouts of virtio-scsi, and which responses are sound (virtio 1.2, 5.6.6.1)."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vblkfuzz.virtio.request.scsi import (
    HEADER_SIZE,
    RESPONSE,
    RESPONSE_SIZE,
    SENSE_SIZE,
    Opcode,
    ScsiResponse,
    ScsiStatus,
    answer_in,
    command_10,
    data_size,
    header,
    inquire_serial,
    unmap_command,
    unmap_list,
)

FIXED = bytes([0x70, 0, 6, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x29, 0, 0, 0, 0, 0])
LONG = bytes([0x70, 0, 6, 0, 0, 0, 0, 200]).ljust(SENSE_SIZE, b"\0")
"""Of its 208 bytes there is room for the first."""
DESCRIPTOR = bytes([0x72, 5, 0x20, 0, 0, 0, 0, 0])


def response(
    sense: bytes = b"",
    *,
    length: int | None = None,
    residual: int = 0,
    status: int = 0,
    told: int = 0,
) -> bytes:
    size = len(sense) if length is None else length
    return RESPONSE.pack(size, residual, 0, status, told, sense)


def test_sizes_are_those_of_the_standard() -> None:
    assert (HEADER_SIZE, RESPONSE_SIZE) == (8 + 8 + 3 + 32, 12 + SENSE_SIZE)


@given(st.integers(0, 0xFFFF_FFFF), st.integers(0, 0xFFFF), st.integers(0, (1 << 64) - 1))
def test_a_header_has_command_and_tag_where_a_device_reads_them(
    block: int, blocks: int, tag: int
) -> None:
    found = header(command_10(Opcode.READ_10, block, blocks), tag, 2)
    assert found[:4] == bytes([1, 0, 0x40, 2])
    assert struct.unpack_from("<Q", found, 8) == (tag,)
    cdb = found[19:]
    assert (cdb[0], len(cdb)) == (0x28, 32)
    assert struct.unpack_from(">I", cdb, 2) == (block,)
    assert struct.unpack_from(">H", cdb, 7) == (blocks,)


def test_an_unmap_says_how_long_its_parameters_are() -> None:
    parameters = unmap_list(7, 2)
    assert struct.unpack_from(">H", unmap_command(), 7) == (len(parameters),)
    assert struct.unpack_from(">HH", parameters) == (len(parameters) - 2, len(parameters) - 8)
    assert struct.unpack_from(">QI", parameters, 8) == (7, 2)


def test_an_inquiry_asks_for_the_serial_number() -> None:
    assert inquire_serial(0x118) == bytes([0x12, 1, 0x80, 1, 0x18, 0])


@pytest.mark.parametrize(
    "found",
    [
        response(),
        response(FIXED, status=ScsiStatus.CHECK_CONDITION),
        response(DESCRIPTOR, status=ScsiStatus.CHECK_CONDITION),
        response(FIXED, status=ScsiStatus.CHECK_CONDITION, residual=512),
        response(LONG, status=ScsiStatus.CHECK_CONDITION),
        response(status=ScsiStatus.BUSY),
        response(told=ScsiResponse.RESET),
        response(told=ScsiResponse.FAILURE, status=0xEE),
    ],
)
def test_sound(found: bytes) -> None:
    assert answer_in(found).is_sound


@pytest.mark.parametrize(
    "found",
    [
        response(residual=1),
        response(FIXED),
        response(status=ScsiStatus.CHECK_CONDITION),
        response(bytes(18), status=ScsiStatus.CHECK_CONDITION),
        response(FIXED, length=SENSE_SIZE + 1, status=ScsiStatus.CHECK_CONDITION),
        response(FIXED, length=17, status=ScsiStatus.CHECK_CONDITION),
        response(DESCRIPTOR, length=7, status=ScsiStatus.CHECK_CONDITION),
        response(status=1),
        response(told=10),
        b"\xff" * RESPONSE_SIZE,
    ],
)
def test_not_sound(found: bytes) -> None:
    assert not answer_in(found).is_sound


@pytest.mark.parametrize(("sense", "key", "code"), [(FIXED, 6, 0x29), (DESCRIPTOR, 5, 0x20)])
def test_both_formats_of_sense_data(sense: bytes, key: int, code: int) -> None:
    found = answer_in(response(sense, status=ScsiStatus.CHECK_CONDITION))
    assert (found.key, found.code) == (key, code)


def test_a_code_that_is_left_out_is_none() -> None:
    short = bytes([0x70, 0, 5, 0, 0, 0, 0, 0]).ljust(SENSE_SIZE, b"\x20")
    found = answer_in(response(short, length=8, status=ScsiStatus.CHECK_CONDITION))
    assert found.is_sound
    assert (found.key, found.code) == (5, 0)


@pytest.mark.parametrize(
    ("cdb", "size"),
    [
        (command_10(Opcode.READ_10, 7, 3), 1536),
        (command_10(Opcode.WRITE_10, 7, 3), 1536),
        (command_10(Opcode.WRITE_SAME_10, 7, 3), 512),
        (command_10(Opcode.SYNCHRONIZE_CACHE_10, 0, 0), 0),
        (command_10(Opcode.VENDOR, 7, 3), 0),
        (unmap_command(), 24),
        (inquire_serial(0x118), 0x118),
        (bytes(32), 0),
    ],
)
def test_a_command_says_how_much_it_moves(cdb: bytes, size: int) -> None:
    assert data_size(cdb.ljust(32, b"\0")) == size
