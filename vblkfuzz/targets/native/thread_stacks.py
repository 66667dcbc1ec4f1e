"""The stacks of all threads of a process that hangs, without a debugger.

Each thread is stopped for a moment (ptrace(2), PTRACE_INTERRUPT), which makes a system call start
again and changes nothing else. Registers and stack are read (`targets.unwinder`). Only threads that
sleep are of interest: what a running one does changes from look to look.

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

from vblkfuzz.targets.activity.stillness import AWAKE
from vblkfuzz.targets.native.ptrace import ALL, DETACH, INTERRUPT, SEIZE, ptrace, registers_of
from vblkfuzz.targets.native.unwinder import Unwinder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.targets.native.ptrace import Registers
    from vblkfuzz.targets.native.unwinder import Function

_PAUSE_S: Final = 0.05
"""Seconds between two samples that say which threads sleep."""
_SAMPLES: Final = 4
"""Samples after the first at most."""
_STOP_S: Final = 5.0
"""Seconds in which a thread has to stop."""
_LOOK_S: Final = 0.001
_FUTEX: Final = 202
"""Number of the system call futex(2)."""
_WAIT, _COMMAND, _CONTENDED = 0, 0x7F, 2
"""FUTEX_WAIT, the bits of the command, and what glibc's mutex contains while a thread waits."""
_OWNER: Final = 8
"""Where the thread that holds a mutex of glibc is noted: behind lock and count."""


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
        self._unwinder = Unwinder(pid)

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
            stack = self._unwinder.stack(memory, registers)
            waits_for = owner if owner in found and owner != number else 0
            title = Path(f"/proc/{number}/comm").read_text().strip()
            return Thread(number, title, stack, number == self._pid, waits_for)
        return Thread(number, "", ())


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
