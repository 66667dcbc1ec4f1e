"""Which functions of a program have been reached, in memory that a process shares with its forks.

A function is known by its rank among the function starts of the program file, so addresses in
memory do not matter. Those of another program replace them: they begin at none.

    total     u64       functions of the program; 0: none has been watched
    program   u64       which program that is
    problem   u64       why none can be watched, an index into `PROBLEMS`
    starters  5 x u64   programs that have only started another one, such as a shell
    marks     bytes     1: this function has been reached
"""

from __future__ import annotations

import mmap
from typing import Final

from vblkfuzz.limits import MAX_FUNCTIONS

PROBLEMS: Final = (
    "",
    "the system does not allow it to be traced (ptrace)",
    "its program has no index of functions (.eh_frame_hdr)",
    "its memory cannot be written (/proc/PID/mem)",
)
"""Why no function can be watched; the first one: there is no problem."""
REFUSED, NO_INDEX, READ_ONLY = 1, 2, 3
"""Places in `PROBLEMS`."""
_HEAD: Final = 64
_TOTAL, _PROGRAM, _PROBLEM = 0, 1, 2
_STARTERS: Final = slice(3, 8)


class Reached:
    """The marks of one program. Watchers set them, each in the process that has forked it."""

    def __init__(self) -> None:
        self._mapping = mmap.mmap(-1, _HEAD + MAX_FUNCTIONS)
        self._head = memoryview(self._mapping)[:_HEAD].cast("Q")

    @property
    def total(self) -> int:
        """Number of functions of the program that is watched; 0: none is."""
        return self._head[_TOTAL]

    @property
    def problem(self) -> str:
        """Why no function can be watched; empty if that is not known."""
        return PROBLEMS[self._head[_PROBLEM]]

    def note_problem(self, number: int) -> None:
        """Note why no function can be watched."""
        self._head[_PROBLEM] = number

    @property
    def marks(self) -> bytes:
        """A byte for each function, 1 if it has been reached."""
        return self._mapping[_HEAD : _HEAD + self.total]

    def mark(self, rank: int) -> None:
        """Note that a function has been reached."""
        self._mapping[_HEAD + rank] = 1

    def begin(self, program: int, total: int) -> bool:
        """Begin to watch a process that runs a program.

        Args:
            program: a number that no other program has.
            total: its functions, at most MAX_FUNCTIONS.

        Returns: whether to watch it; False: it only starts another program.
        """
        head = self._head
        if program in head[_STARTERS]:
            return False
        if program != head[_PROGRAM]:
            self._mapping[_HEAD:] = bytes(MAX_FUNCTIONS)
            head[_PROGRAM], head[_TOTAL] = program, total
        return True

    def note_starter(self) -> None:
        """Note that the program which is watched has been replaced by another one (execve)."""
        starters = list(self._head[_STARTERS])
        free = starters.index(0) if 0 in starters else 0
        self._head[_STARTERS.start + free] = self._head[_PROGRAM]
        self._head[_PROGRAM] = self._head[_TOTAL] = 0
