"""Program files in the memory of a process (/proc/PID/maps, proc(5)), and places in them."""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

_RUN_TIME: Final = re.compile(
    r"/(libc|ld-(linux|musl)[^/]*|libpthread|libm|libgcc_s|libstdc\+\+|libglib-2\.0|liburing|libaio)"
    r"[.-][^/]*$"
)
_FORM: Final = re.compile(
    r"^([0-9a-f]+)-([0-9a-f]+) ..x. ([0-9a-f]+) \S+ \d+ +(/.+)$", re.MULTILINE
)
_ENTRY: Final = 9
"""AT_ENTRY of the auxiliary vector (getauxval(3)): where the program's first instruction is."""
_VECTOR: Final = struct.Struct("<QQ")


class Mapping(NamedTuple):
    """An executable part of a program file in memory."""

    start: int
    end: int
    offset: int
    """Of its first byte in the file."""
    file: str

    @property
    def is_run_time(self) -> bool:
        """Whether it is a library whose functions say nothing of a bug."""
        return _RUN_TIME.search(self.file) is not None


class Code(NamedTuple):
    """A place in a program file."""

    file: str
    offset: int


def mappings_of(pid: int) -> list[Mapping]:
    """Return the executable parts of all files in memory.

    A file that has been deleted or replaced is left out: its name leads elsewhere now.
    """
    with open(f"/proc/{pid}/maps", encoding="utf-8", errors="surrogateescape") as maps:
        return [
            Mapping(int(start, 16), int(end, 16), int(offset, 16), file)
            for start, end, offset, file in _FORM.findall(maps.read())
            if not file.endswith(" (deleted)")
        ]


def code_at(address: int, mappings: Sequence[Mapping]) -> Code | None:
    """Return the place of an address in memory; None: it is in none of these files."""
    for part in mappings:
        if part.start <= address < part.end:
            return Code(part.file, address - part.start + part.offset)
    return None


def shift_of(pid: int, entry: int) -> int:
    """Return what the system adds to an address of the program that a process has executed.

    Args:
        pid: the process.
        entry: address of the program's first instruction in its file.

    Raises:
        ValueError: the system does not say where that is.
    """
    with open(f"/proc/{pid}/auxv", "rb") as vector:
        for kind, value in _VECTOR.iter_unpack(vector.read()):
            if kind == _ENTRY:
                return int(value) - entry
    raise ValueError("no entry point")
