"""Names of functions in a program file that is written here, symbol by symbol."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from vblkfuzz.targets.native.program_file import Program

BASE, OFFSET, SIZE = 0x400000, 0x1000, 0x100
"""The one segment: its address, its place in the file, its size."""


def program(path: Path, *symbols: tuple[str, int, int]) -> Program:
    """Write a program with functions (name, address in the segment, size); return it."""
    names = b"\0" + b"".join(name.encode() + b"\0" for name, _, _ in symbols)
    rows, at = b"", 1
    for name, start, size in symbols:
        rows += struct.pack("<IBBHQQ", at, 2, 0, 1, BASE + start, size)
        at += len(name) + 1
    segment, table = 64, 64 + 56
    sections, text = table + len(rows), table + len(rows) + 2 * 64
    header = struct.pack(
        "<16sHHIQQQIHHHHHH",
        *(b"\x7fELF\x02\x01\x01", 3, 62, 1, 0, segment, sections, 0, 64, 56, 1, 64, 2, 0),
    )
    load = struct.pack("<IIQQQQQQ", 1, 5, OFFSET, BASE, BASE, SIZE, SIZE, 4096)
    symbol_table = struct.pack("<IIQQQQIIQQ", 0, 2, 0, 0, table, len(rows), 1, 0, 8, 24)
    strings = struct.pack("<IIQQQQIIQQ", 0, 3, 0, 0, text, len(names), 0, 0, 1, 0)
    path.write_bytes(header + load + rows + symbol_table + strings + names)
    return Program(str(path))


@pytest.mark.parametrize(
    ("symbol", "name"),
    [
        ("blk_push", "blk_push"),
        ("blk_push.constprop.0", "blk_push"),
        ("blk_push.part.3.cold", "blk_push"),
        ("blk.push", "blk.push"),
        ("_ZN5vring3pop17h0123456789abcdefE", "_ZN5vring3popE"),
        ("_ZN5vring3popEv", "_ZN5vring3popEv"),
    ],
)
def test_a_symbol_without_what_a_build_adds(tmp_path: Path, symbol: str, name: str) -> None:
    assert program(tmp_path / "p", (symbol, 0x10, 8)).name_of(OFFSET + 0x17) == name


def test_an_address_between_two_functions_has_no_symbol(tmp_path: Path) -> None:
    found = program(tmp_path / "p", ("first", 0x10, 8), ("second", 0x20, 8))
    names = [found.name_of(OFFSET + at) for at in (0xF, 0x10, 0x18, 0x20)]
    assert names == ["p+0x40000f", "first", "p+0x400018", "second"]


def test_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "script").write_text("#!/bin/sh\n")
    with pytest.raises(ValueError, match="no ELF file"):
        Program(str(tmp_path / "script"))
