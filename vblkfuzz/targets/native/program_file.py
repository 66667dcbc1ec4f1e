"""Names of functions in a program file (ELF, 64 bits): symbols, else offsets."""

from __future__ import annotations

import mmap
import os
import re
import struct
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_HEADER: Final = struct.Struct("<16sHHIQQQIHHHHHH")
_SEGMENT: Final = struct.Struct("<IIQQQQQQ")
_SECTION: Final = struct.Struct("<IIQQQQIIQQ")
_SYMBOL: Final = struct.Struct("<IBBHQQ")
_LOAD: Final = 1
_FRAMES: Final = 0x6474E550
"""PT_GNU_EH_FRAME."""
_SYMBOLS, _EXPORTS = 2, 11
"""SHT_SYMTAB, SHT_DYNSYM."""
_FUNCTION: Final = 2
_OF_A_BUILD: Final = re.compile(
    r"\.(?:constprop|isra|part|cold|lto_priv|llvm)\b.*|17h[0-9a-f]{16}(?=E)"
)
"""What a compiler adds to a symbol: which copy or part of the function it is, and Rust's hash of
the crate. It changes with the next build."""


class Program:
    """A program or a shared library."""

    def __init__(self, path: str) -> None:
        """Read it.

        Raises:
            OSError: it cannot be read.
            ValueError: it is no such file.
        """
        self._name = os.path.basename(path)
        fd = os.open(path, os.O_RDONLY)
        try:
            self._bytes: Final = mmap.mmap(fd, 0, prot=mmap.PROT_READ)
        finally:
            os.close(fd)
        if self._bytes[:5] != b"\x7fELF\x02":
            raise ValueError(f"{path}: no ELF file of 64 bits")
        header = _HEADER.unpack_from(self._bytes)
        self.entry: Final[int] = header[4]
        """Address of its first instruction."""
        self._segments, self._sections = header[5], header[6]
        self._segment_count, self._section_count = header[10], header[12]
        self._exports = list(self._symbols(_EXPORTS))
        self._functions = [*self._symbols(_SYMBOLS), *self._exports]

    def name_of(self, offset: int) -> str:
        """Return the function at an offset in the file: its symbol, else ``FILE+0xADDRESS``.

        The address is the one that addr2line takes.
        """
        address = self.address_of(offset)
        return self._name_in(self._functions, address) or f"{self._name}+{address:#x}"

    def export_of(self, offset: int) -> str:
        """Return the function at an offset if the file exports it, else an empty text.

        These names are there also if the file is stripped.
        """
        return self._name_in(self._exports, self.address_of(offset))

    def _name_in(self, functions: Sequence[tuple[int, int, int]], address: int) -> str:
        for start, size, name in functions:
            if start <= address < start + size:
                return self._text(name)
        return ""

    def address_of(self, offset: int) -> int:
        """Return the address that the file gives to a byte; the system adds a constant to it."""
        for kind, start, address, size in self._parts():
            if kind == _LOAD and start <= offset < start + size:
                return address + offset - start
        return offset

    def bytes_at(self, address: int, size: int) -> bytes:
        """Return the bytes at an address of the file, fewer at its end."""
        for kind, start, begin, length in self._parts():
            if kind == _LOAD and begin <= address < begin + length:
                at = start + address - begin
                return self._bytes[at : at + size]
        return b""

    @property
    def frames(self) -> int:
        """Address of the index of call frames (.eh_frame_hdr); 0: there is none."""
        return next((address for kind, _, address, _ in self._parts() if kind == _FRAMES), 0)

    def _parts(self) -> Iterator[tuple[int, int, int, int]]:
        """Yield type, offset, address and size in the file of each segment."""
        for index in range(self._segment_count):
            at = self._segments + index * _SEGMENT.size
            kind, _, start, address, _, size, _, _ = map(int, _SEGMENT.unpack_from(self._bytes, at))
            yield kind, start, address, size

    def _symbols(self, wanted: int) -> Iterator[tuple[int, int, int]]:
        """Yield address, size and place of the name of each function in one kind of table."""
        sections = [
            _SECTION.unpack_from(self._bytes, self._sections + index * _SECTION.size)
            for index in range(self._section_count)
        ]
        for _, kind, _, _, start, size, link, *_ in sections:
            if kind != wanted:
                continue
            names = sections[link][4]
            rows = self._bytes[start : start + size - size % _SYMBOL.size]
            for name, info, _, section, value, length in _SYMBOL.iter_unpack(rows):
                if info & 0xF == _FUNCTION and length and section:
                    yield value, length, names + name

    def _text(self, at: int) -> str:
        symbol = self._bytes[at : self._bytes.find(b"\0", at)].decode(errors="replace")
        return _OF_A_BUILD.sub("", symbol)
