"""Function coverage of a program as it is: a breakpoint at each function, until it is reached.

The function starts are in the index of call frames (.eh_frame_hdr), which a stripped program has,
too. Each breakpoint is removed when it is reached first, so a process that does nothing new runs at
full speed. A function that one process has reached is not watched in the next one. Parts of
functions that compilers move away (cold code) count as functions.

The idea is that of UnTracer (Nagy and Hicks, "Full-speed Fuzzing", IEEE S&P 2019).
"""

from __future__ import annotations

import os
import struct
from bisect import bisect_left
from hashlib import blake2b
from typing import TYPE_CHECKING

from vblkfuzz.limits import MAX_FUNCTIONS
from vblkfuzz.targets.coverage.reached import NO_INDEX, READ_ONLY
from vblkfuzz.targets.native.call_frames import CallFrames
from vblkfuzz.targets.native.mappings import mappings_of, shift_of
from vblkfuzz.targets.native.program_file import Program

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.targets.breakpoints.tracee import Tracee
    from vblkfuzz.targets.coverage.reached import Reached


class FunctionWatch:
    """Watches the functions of one process; part of its tracer."""

    def __init__(self, reached: Reached) -> None:
        self._reached = reached
        self._starts: Sequence[int] = ()
        """Addresses of the functions in the program file; empty: none is watched."""
        self._shift = 0
        """Address in memory of the program's address 0."""

    def begin(self, tracee: Tracee) -> None:
        """Watch the program that the process has just executed."""
        if self._starts:
            self._reached.note_starter()
            self._starts = ()
        try:
            self._insert(tracee)
        except ValueError:
            self._reached.note_problem(NO_INDEX)
        except OSError:
            self._reached.note_problem(READ_ONLY)

    def hit(self, tracee: Tracee, address: int) -> None:
        """Note that a function has been reached, and do not watch it any more."""
        tracee.remove(address)
        self._reached.mark(bisect_left(self._starts, address - self._shift))

    def _insert(self, tracee: Tracee) -> None:
        program = Program(f"/proc/{tracee.pid}/exe")
        starts = CallFrames(program).functions[:MAX_FUNCTIONS]
        if not self._reached.begin(_identity(starts), len(starts)):
            return
        self._starts = starts
        self._shift = shift = shift_of(tracee.pid, program.entry)
        missing = [
            start + shift
            for start, mark in zip(starts, self._reached.marks, strict=True)
            if not mark
        ]
        for code in _code_of(tracee.pid):
            first, last = bisect_left(missing, code.start), bisect_left(missing, code.stop)
            tracee.insert(missing[first:last])


def _identity(starts: Sequence[int]) -> int:
    """Return a number that tells programs apart: their functions begin at other addresses."""
    raw = struct.pack(f"<{len(starts)}q", *starts)
    return int.from_bytes(blake2b(raw, digest_size=7).digest(), "little") or 1


def _code_of(pid: int) -> list[range]:
    """Return the executable parts of the program in memory."""
    file = os.readlink(f"/proc/{pid}/exe")
    return [range(part.start, part.end) for part in mappings_of(pid) if part.file == file]
