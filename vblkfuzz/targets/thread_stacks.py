"""The stacks of all threads of a process that hangs, without a debugger.

Each thread is stopped for a moment (ptrace(2), PTRACE_INTERRUPT), which makes a system call start
again and changes nothing else. Registers and stack are read, and the callers found by the call
frame information of the program files (`targets.call_frames`). Only threads that sleep are of
interest: what a running one does changes from look to look.

Without ptrace (another machine than x86-64, a container that forbids it) there are no stacks.
"""

from __future__ import annotations

import os
import platform
import struct
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from vblkfuzz.targets.call_frames import RETURN, CallFrames
from vblkfuzz.targets.mappings import Mapping, code_at, mappings_of
from vblkfuzz.targets.program_file import Program
from vblkfuzz.targets.ptrace import ALL, DETACH, INTERRUPT, SEIZE, ptrace, registers_of
from vblkfuzz.targets.stillness import AWAKE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.targets.ptrace import Registers

_PAUSE_S: Final = 0.05
"""Seconds between two samples that say which threads sleep."""
_SAMPLES: Final = 4
"""Samples after the first at most."""
_STOP_S: Final = 5.0
"""Seconds in which a thread has to stop."""
_LOOK_S: Final = 0.001
_MOST: Final = 64
"""Functions on a stack that are read at most."""
_SP: Final = 7
"""Number that DWARF gives the stack pointer."""
_FUTEX: Final = 202
"""Number of the system call futex(2)."""
_WAIT, _COMMAND, _CONTENDED = 0, 0x7F, 2
"""FUTEX_WAIT, the bits of the command, and what glibc's mutex contains while a thread waits."""
_OWNER: Final = 8
"""Where the thread that holds a mutex of glibc is noted: behind lock and count."""


class Function(NamedTuple):
    """A function on a stack."""

    name: str
    """Its symbol, else ``FILE+0xADDRESS``."""
    exported: bool
    """Its name is there also if the file is stripped."""
    run_time: bool
    """It belongs to a library of which no function says anything of a bug."""


class Thread(NamedTuple):
    """A thread that sleeps."""

    number: int
    title: str
    """What the program calls it (comm, proc(5))."""
    stack: Sequence[Function]
    """The innermost first."""
    main: bool = False
    """It is the main thread of the process."""
    waits_for: int = 0
    """The thread that holds the mutex that it waits for; 0: it waits for something else."""


def sleeping_threads(pid: int) -> list[Thread]:
    """Return the threads of a process that sleep, the main one first; none without ptrace."""
    if platform.machine() != "x86_64":
        return []
    with suppress(OSError):
        asleep = _asleep(pid)
        return _Stacks(pid).threads(sorted(asleep, key=lambda thread: (thread != pid, thread)))
    return []


def _asleep(pid: int) -> list[int]:
    """Return the threads that slept in two samples and have not run in between.

    There are more samples while some run: a debugger may just have let them go.
    """
    asleep: list[int] = []
    before = _samples(pid)
    for _ in range(_SAMPLES):
        time.sleep(_PAUSE_S)
        after = _samples(pid)
        asleep = [thread for thread, sample in after.items() if sample == before.get(thread)]
        if len(asleep) == len(os.listdir(f"/proc/{pid}/task")):
            break
        before = after
    return asleep


def _samples(pid: int) -> dict[int, str]:
    """Return how often each thread has run that a signal can wake (as `targets.stillness`)."""
    found = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(OSError):  # it has ended since
            state = (task / "stat").read_text().rpartition(")")[2].split()[0]
            if state == "S" and (task / "wchan").read_bytes() not in AWAKE:
                found[int(task.name)] = (task / "schedstat").read_text()
    return found


class _Stacks:
    """Reads stacks of one process."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._mappings = mappings_of(pid)
        self._programs: dict[str, tuple[Program, CallFrames] | None] = {}

    def threads(self, wanted: Sequence[int]) -> list[Thread]:
        """Return these threads with their stacks; they go on afterwards."""
        stopped: list[int] = []
        memory = os.open(f"/proc/{self._pid}/mem", os.O_RDONLY)
        try:
            for thread in wanted:
                ptrace(SEIZE, thread, 0)
                stopped.append(thread)
                ptrace(INTERRUPT, thread, 0)
                _await_stop(thread)
            found = {thread: registers_of(thread) for thread in wanted}
            return [self._thread(memory, thread, found) for thread in wanted]
        finally:
            os.close(memory)
            for thread in stopped:
                with suppress(OSError):
                    ptrace(DETACH, thread, 0)

    def _thread(self, memory: int, number: int, found: dict[int, Registers]) -> Thread:
        registers = found[number]
        with suppress(OSError, struct.error):
            owner = _owner(memory, registers)
            stack = self._stack(memory, registers)
            waits_for = owner if owner in found and owner != number else 0
            title = Path(f"/proc/{number}/comm").read_text().strip()
            return Thread(number, title, stack, number == self._pid, waits_for)
        return Thread(number, "", ())

    def _stack(self, memory: int, registers: Registers) -> list[Function]:
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


def _await_stop(thread: int) -> None:
    """Wait until a thread has stopped; its end is left to its parent.

    Raises:
        TimeoutError: it does not.
    """
    deadline = time.monotonic() + _STOP_S
    while time.monotonic() < deadline:
        if os.waitid(os.P_PID, thread, os.WSTOPPED | os.WNOHANG | ALL) is not None:
            return
        time.sleep(_LOOK_S)
    raise TimeoutError


def _owner(memory: int, registers: Registers) -> int:
    """Return the thread that holds the mutex of glibc that a thread waits for; else 0."""
    address, command, value = registers.arguments
    if registers.call != _FUTEX or command & _COMMAND != _WAIT or value != _CONTENDED:
        return 0
    (owner,) = struct.unpack("<I", os.pread(memory, 4, address + _OWNER))
    return int(owner)


def _word(memory: int, address: int) -> int:
    (word,) = struct.unpack("<Q", os.pread(memory, 8, address))
    return int(word)
