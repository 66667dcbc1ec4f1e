"""The functions on the stack of a stopped thread, by the call frame information of its files.

Stripped files have this information too (`targets.call_frames`), so a stack is exact, not guessed,
and words that are left over on it from earlier calls do not matter.
"""

from __future__ import annotations

import os
import struct
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple

from vblkfuzz.targets.native.call_frames import RETURN, CallFrames
from vblkfuzz.targets.native.mappings import Mapping, code_at, mappings_of
from vblkfuzz.targets.native.program_file import Program

if TYPE_CHECKING:
    from vblkfuzz.targets.native.ptrace import Registers

_MOST: Final = 64
"""Functions on a stack that are read at most."""
_SP: Final = 7
"""Number that DWARF gives the stack pointer."""


class Function(NamedTuple):
    """A function on a stack."""

    name: str
    """Its symbol, else ``FILE+0xADDRESS``."""
    exported: bool
    """Its name is there also if the file is stripped."""
    run_time: bool
    """It belongs to a library of which no function says anything of a bug."""


class Unwinder:
    """Reads stacks of one process."""

    def __init__(self, pid: int) -> None:
        self._mappings = mappings_of(pid)
        self._programs: dict[str, tuple[Program, CallFrames] | None] = {}

    def stack(self, memory: int, registers: Registers) -> list[Function]:
        """Return the functions on a thread's stack, the innermost first; fewer if one has no row.

        Args:
            memory: fd of the memory of the process (/proc/PID/mem).
            registers: those of the thread, which is stopped.
        """
        known = {**registers.numbered, RETURN: registers.pc}
        stack: list[Function] = []
        while len(stack) < _MOST:
            # A call may be the last instruction of its function: the place is just before the
            # return address.
            code = code_at(known[RETURN] - bool(stack), self._mappings)
            if code is None:
                break
            before = known[_SP]
            stack.append(self._function(code.file, code.offset))
            row = self._caller(memory, code.file, code.offset, known)
            if row is None or row[_SP] <= before:
                break
            known = row
        return stack

    def _function(self, file: str, offset: int) -> Function:
        run_time = Mapping(0, 0, 0, file).is_run_time
        program = self._program(file)
        if program is None:
            return Function(os.path.basename(file), exported=False, run_time=run_time)
        export = program[0].export_of(offset)
        return Function(export or program[0].name_of(offset), bool(export), run_time)

    def _caller(
        self, memory: int, file: str, offset: int, known: dict[int, int]
    ) -> dict[int, int] | None:
        """Return the registers of the calling function; None: it cannot be found, or has none."""
        program = self._program(file)
        row = program and program[1].row(program[0].address_of(offset))
        if not row or row.register not in known or RETURN not in row.saved:
            return None
        begin = known[row.register] + row.offset
        saved = {register: _word(memory, begin + at) for register, at in row.saved.items()}
        return {**known, **saved, _SP: begin}

    def _program(self, file: str) -> tuple[Program, CallFrames] | None:
        if file not in self._programs:
            self._programs[file] = None
            with suppress(OSError, ValueError):
                program = Program(file)
                self._programs[file] = program, CallFrames(program)
        return self._programs[file]


def _word(memory: int, address: int) -> int:
    (word,) = struct.unpack("<Q", os.pread(memory, 8, address))
    return int(word)
