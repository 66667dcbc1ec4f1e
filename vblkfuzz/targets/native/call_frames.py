"""Where the caller of a function is found on the stack: the call frame information of a program.

Every function of a usual program has a description of its frame, which exceptions and debuggers
use (.eh_frame); a stripped one, too. It says where the frame begins and where the function has
saved the registers of its caller. So a stack can be read exactly, without frame pointers.

Sources: DWARF 5, 6.4; Linux Standard Base, "Exception Frames" (pointer encodings, .eh_frame_hdr).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from vblkfuzz.targets.native.program_file import Program

RETURN: Final = 16
"""Number of the column that has the return address (System V ABI, x86-64)."""
_SIZES: Final = {0: "<Q", 2: "<H", 3: "<I", 4: "<Q", 0xA: "<h", 0xB: "<i", 0xC: "<q"}
"""Forms of an encoded pointer, by its low four bits."""
_RELATIVE: Final = 0x10
"""DW_EH_PE_pcrel: the pointer is relative to its own address."""
_INDEX: Final = struct.Struct("<BBBBiI")
_TABLE: Final = 0x3B
"""DW_EH_PE_datarel, sdata4: how linkers write the index."""
_LARGEST: Final = 1 << 16
"""Bytes of one description that are read at most."""


class Row(NamedTuple):
    """How a frame looks like at one instruction."""

    register: int
    """The frame begins at the value of this register plus `offset`; -1: an expression says it."""
    offset: int
    saved: dict[int, int]
    """Where registers of the caller are, by number: relative to the begin of the frame."""


class _Reader:
    """Reads the fields of one description."""

    def __init__(self, program: Program, address: int) -> None:
        self._address = address
        self._raw = program.bytes_at(address, _LARGEST)
        self.at = 0

    @property
    def here(self) -> int:
        return self._address + self.at

    def take(self, form: str) -> int:
        (value,) = struct.unpack_from(form, self._raw, self.at)
        self.at += struct.calcsize(form)
        return int(value)

    def pointer(self, encoding: int) -> int:
        here = self.here
        value = self.take(_SIZES[encoding & 0xF])
        return value + here if encoding & 0x70 == _RELATIVE else value

    def unsigned(self) -> int:
        value = shift = 0
        while True:
            byte = self.take("<B")
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def signed(self) -> int:
        before = self.at
        value, bits = self.unsigned(), 7 * (self.at - before)
        return value - (1 << bits) if value >> (bits - 1) else value

    def text(self) -> str:
        end = self._raw.index(b"\0", self.at)
        word, self.at = self._raw[self.at : end].decode("ascii"), end + 1
        return word


class CallFrames:
    """The call frame information of one program file."""

    def __init__(self, program: Program) -> None:
        """Find its index.

        Raises:
            ValueError: the program has none, or one in another form.
        """
        self._program = program
        self._header = program.frames
        raw = program.bytes_at(self._header, _INDEX.size) if self._header else b""
        if len(raw) < _INDEX.size or raw[0] != 1 or raw[2] != 3 or raw[3] != _TABLE:
            raise ValueError("no index of call frames")
        self._count = int(_INDEX.unpack(raw)[5])
        table = program.bytes_at(self._header + _INDEX.size, 8 * self._count)
        self._starts = list(struct.iter_unpack("<ii", table))

    @property
    def functions(self) -> list[int]:
        """Addresses of the file at which functions and parts of functions begin, in their order."""
        return [self._header + start for start, _ in self._starts]

    def row(self, address: int) -> Row | None:
        """Return how the frame looks like at an address of the file; None: it is not described."""
        at = self._find(address - self._header)
        if at is None:
            return None
        try:
            return self._read(self._header + at, address)
        except (struct.error, ValueError, KeyError, IndexError):
            return None

    def _find(self, relative: int) -> int | None:
        """Return the description of the last function that begins at or before an address."""
        low, high = 0, len(self._starts)
        while low < high:
            middle = (low + high) // 2
            if self._starts[middle][0] <= relative:
                low = middle + 1
            else:
                high = middle
        return self._starts[low - 1][1] if low else None

    def _read(self, start: int, address: int) -> Row | None:
        entry = _Reader(self._program, start)
        end = entry.take("<I") + 4
        common = _Common(self._program, entry.here - entry.take("<I"))
        begin = entry.pointer(common.encoding)
        size = entry.take(_SIZES[common.encoding & 0x7])
        if not begin <= address < begin + size:
            return None
        if common.augmented:
            skipped = entry.unsigned()
            entry.at += skipped
        rules = _Rules(common)
        rules.run(common.reader, common.end, None)
        rules.begin()
        rules.run(entry, end, address - begin)
        return rules.row


class _Common:
    """What the descriptions of many functions have in common (CIE)."""

    def __init__(self, program: Program, start: int) -> None:
        self.reader = reader = _Reader(program, start)
        self.end = reader.take("<I") + 4
        reader.take("<I")
        version = reader.take("<B")
        letters = reader.text()
        self.code_step, self.data_step = reader.unsigned(), reader.signed()
        if version == 1:
            reader.take("<B")
        else:
            reader.unsigned()
        self.encoding = 0
        self.augmented = letters.startswith("z")
        if self.augmented:
            self._augmentation(letters[1:])

    def _augmentation(self, letters: str) -> None:
        size = self.reader.unsigned()
        after = self.reader.at + size
        for letter in letters:
            if letter == "R":
                self.encoding = self.reader.take("<B")
            elif letter == "P":
                self.reader.pointer(self.reader.take("<B"))
            elif letter == "L":
                self.reader.take("<B")
        self.reader.at = after


class _Rules:
    """The instructions of a description, carried out up to one address (DWARF 5, 6.4.2)."""

    def __init__(self, common: _Common) -> None:
        self._common = common
        self.row = Row(-1, 0, {})
        self._initial = self.row
        self._kept: list[Row] = []

    def begin(self) -> None:
        """Note that the common instructions are over."""
        self._initial = self.row._replace(saved=dict(self.row.saved))

    def run(self, reader: _Reader, end: int, until: int | None) -> None:
        """Carry out instructions until they pass the address `until`, from the function's begin."""
        passed = 0
        while reader.at < end:
            code = reader.take("<B")
            if code >> 6 == 1 or code in _ADVANCES:
                step = code & 0x3F if code >> 6 else reader.take(_ADVANCES[code])
                passed += step * self._common.code_step
                if until is not None and passed > until:
                    return
            elif code >> 6 == 2:
                self.save(code & 0x3F, reader.unsigned() * self._common.data_step)
            elif code >> 6 == 3:
                self.restore(code & 0x3F)
            else:
                _STEPS[code](self, reader)

    def save(self, register: int, offset: int) -> None:
        """Note where a register is saved."""
        self.row.saved[register] = offset

    def drop(self, register: int) -> None:
        """Note that a register is not saved."""
        self.row.saved.pop(register, None)

    def restore(self, register: int) -> None:
        """Take the common rule of a register."""
        self.drop(register)
        if register in self._initial.saved:
            self.row.saved[register] = self._initial.saved[register]

    def define(self, register: int, offset: int) -> None:
        """Note where the frame begins."""
        self.row = self.row._replace(register=register, offset=offset)

    def remember(self) -> None:
        """Keep the current row."""
        self._kept.append(self.row._replace(saved=dict(self.row.saved)))

    def recall(self) -> None:
        """Take the row that was kept last."""
        self.row = self._kept.pop()

    def by_expression(self, reader: _Reader) -> None:
        """Note that an expression says where the frame begins."""
        self.skip(reader)
        self.define(-1, 0)

    def register_by_expression(self, reader: _Reader) -> None:
        """Note that an expression says where a register is saved."""
        self.drop(reader.unsigned())
        self.skip(reader)

    def skip(self, reader: _Reader) -> None:
        """Skip an expression."""
        size = reader.unsigned()
        reader.at += size

    def ignore(self, value: int) -> None:
        """Ignore the size of a call's arguments."""

    def step(self, value: int) -> int:
        """Return an offset in bytes."""
        return value * self._common.data_step


_ADVANCES: Final = {2: "<B", 3: "<H", 4: "<I"}
_STEPS: Final[dict[int, Callable[[_Rules, _Reader], None]]] = {
    0x00: lambda _rules, _reader: None,
    0x05: lambda rules, reader: rules.save(reader.unsigned(), rules.step(reader.unsigned())),
    0x06: lambda rules, reader: rules.restore(reader.unsigned()),
    0x07: lambda rules, reader: rules.drop(reader.unsigned()),
    0x08: lambda rules, reader: rules.drop(reader.unsigned()),
    0x0A: lambda rules, _reader: rules.remember(),
    0x0B: lambda rules, _reader: rules.recall(),
    0x0C: lambda rules, reader: rules.define(reader.unsigned(), reader.unsigned()),
    0x0D: lambda rules, reader: rules.define(reader.unsigned(), rules.row.offset),
    0x0E: lambda rules, reader: rules.define(rules.row.register, reader.unsigned()),
    0x0F: lambda rules, reader: rules.by_expression(reader),
    0x10: lambda rules, reader: rules.register_by_expression(reader),
    0x11: lambda rules, reader: rules.save(reader.unsigned(), rules.step(reader.signed())),
    0x12: lambda rules, reader: rules.define(reader.unsigned(), rules.step(reader.signed())),
    0x13: lambda rules, reader: rules.define(rules.row.register, rules.step(reader.signed())),
    0x16: lambda rules, reader: rules.register_by_expression(reader),
    0x2E: lambda rules, reader: rules.ignore(reader.unsigned()),
}
"""The other instructions, by code. One that is not here makes a frame unknown (KeyError)."""
