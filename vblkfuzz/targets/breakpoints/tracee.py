"""A process whose threads are traced, with breakpoints in its program (ptrace(2), x86-64).

All calls come from one thread, the one that seizes the process: the kernel accepts no other.

    tracee = Tracee(pid, breakpoints=True)      # pid: a child of ours, before it executes a program
    while stop := tracee.wait():                # ChildProcessError: it has ended
        if stop.what is What.PROGRAM:           # the program is loaded, and has not run yet
            tracee.insert(addresses)
        if stop.what is What.HIT:
            tracee.remove(stop.number)          # or step_over(stop.thread), and it stays
        tracee.resume(stop.thread, stop.signal)

A thread that has stopped stays so until `resume`: that is how to hold it. New threads are traced,
too. A process that is forked gets its memory back without breakpoints, and is not traced. One that
shares the memory until it executes a program (vfork) is traced until then.

A breakpoint is the instruction int3 in place of the first byte of another one. The byte is written
while other threads run, which x86 allows: each sees the old byte or the new one.
"""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager, suppress
from enum import Enum, auto
from itertools import groupby
from typing import TYPE_CHECKING, Final, NamedTuple

from vblkfuzz.targets.native import ptrace as kernel
from vblkfuzz.targets.native.ptrace import (
    ALL,
    CONT,
    DETACH,
    INTERRUPT,
    LISTEN,
    SEIZE,
    SINGLE_STEP,
    ptrace,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_INT3: Final = 0xCC
_PAGE: Final = 4096
_STOPS: Final = frozenset({signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU})
_WITH_BREAKPOINTS: Final = (
    kernel.TRACE_FORK | kernel.TRACE_VFORK | kernel.TRACE_EXEC | kernel.EXIT_KILL
)


class What(Enum):
    """Why a thread has stopped."""

    HIT = auto()
    """It has reached a breakpoint, whose instruction it has not carried out."""
    SIGNAL = auto()
    """It gets a signal when it is resumed with that number."""
    PROGRAM = auto()
    """The process has executed a program, of which no instruction has run yet."""


class Stop(NamedTuple):
    """A thread that has stopped, until `Tracee.resume`."""

    thread: int
    what: What
    number: int = 0
    """HIT: address of the breakpoint. SIGNAL: number of the signal."""

    @property
    def signal(self) -> int:
        """The signal to resume it with, so that nothing is lost; 0: none."""
        return self.number if self.what is What.SIGNAL else 0


class Tracee:
    """A process that the calling thread traces."""

    def __init__(self, pid: int, *, breakpoints: bool) -> None:
        """Trace it, from now on.

        Args:
            pid: a process that has one thread, such as a child before it executes a program.
            breakpoints: it may get some. It is killed then if the calling thread ends without
                `release`: it could not go on after a breakpoint.

        Raises:
            OSError: that is not allowed.
        """
        self.pid = pid
        ptrace(SEIZE, pid, kernel.TRACE_CLONE | (_WITH_BREAKPOINTS if breakpoints else 0))
        self._memory = -1
        """fd of its memory; -1: not opened since it executed its program."""
        self._replaced: dict[int, int] = {}
        """Byte of the program at each address that has or had a breakpoint."""
        self._inserted: set[int] = set()
        self._waiting: dict[int, int] = {}
        """Threads that have stopped and are not resumed yet, with the signal that each gets."""
        self._early: set[int] = set()
        """New processes that have stopped before their parent said so."""
        self._borrowers: set[int] = set()
        """Processes that share its memory (vfork)."""

    # --- Breakpoints --------------------------------------------------------------------------

    def insert(self, addresses: Iterable[int]) -> None:
        """Insert breakpoints at instructions that have none, all in one mapping of a file.

        An instruction of the program that is an int3 itself is left out: its signal is the
        program's own.

        Raises:
            OSError: the kernel does not let its memory be written.
        """
        wanted = sorted(set(addresses) - self._inserted)
        if not wanted:
            return
        first = wanted[0] // _PAGE * _PAGE
        raw = bytearray(os.pread(self.memory, wanted[-1] + 1 - first, first))
        bytes_there = [raw[address - first] for address in wanted]
        found = {at: byte for at, byte in zip(wanted, bytes_there, strict=True) if byte != _INT3}
        for address in found:
            raw[address - first] = _INT3
        for page in sorted({address // _PAGE * _PAGE for address in found}):
            os.pwrite(self.memory, memoryview(raw)[page - first :][:_PAGE], page)
        self._replaced |= found
        self._inserted |= found.keys()

    def remove(self, *addresses: int) -> None:
        """Remove breakpoints; a thread that has reached one already is still reported."""
        found = self._inserted.intersection(addresses)
        self._write(self.memory, {address: self._replaced[address] for address in found})
        self._inserted -= found

    def step_over(self, thread: int) -> int:
        """Carry out the instruction of the breakpoint at which a thread has stopped.

        The breakpoint stays. The other threads stand still meanwhile, so that none passes it.

        Returns: the signal that the thread has got meanwhile, for `resume`; 0: none.
        """
        address = kernel.pc_of(thread)
        with self._standing_still(thread):
            self._write(self.memory, {address: self._replaced[address]})
            got = self._step(thread)
            if address in self._inserted:
                self._write(self.memory, {address: _INT3})
        return got

    @property
    def memory(self) -> int:
        """Fd of its memory, for reading and writing (/proc/PID/mem)."""
        if self._memory < 0:
            self._memory = os.open(f"/proc/{self.pid}/mem", os.O_RDWR | os.O_CLOEXEC)
        return self._memory

    def _write(self, memory: int, replace: Mapping[int, int]) -> None:
        """Write single bytes. Many in a page are written at once: the others stay as they are."""
        for _, group in groupby(sorted(replace), lambda address: address // _PAGE):
            addresses = list(group)
            first, last = addresses[0], addresses[-1]
            raw = bytearray(os.pread(memory, last - first + 1, first))
            for address in addresses:
                raw[address - first] = replace[address]
            os.pwrite(memory, raw, first)

    def _step(self, thread: int) -> int:
        """Carry out one instruction; return a signal that arrived before it."""
        got = 0
        while True:
            ptrace(SINGLE_STEP, thread, 0)
            _, status = os.waitpid(thread, ALL)
            if not os.WIFSTOPPED(status):
                raise ProcessLookupError
            number, event = os.WSTOPSIG(status), status >> 16
            if number == signal.SIGTRAP and not event:
                return got
            got = got if event else number

    # --- Threads ------------------------------------------------------------------------------

    def wait(self, *, block: bool = True) -> Stop | None:
        """Return the next thread that stops; None: there is none yet.

        Raises:
            ChildProcessError: the process has ended, or is no longer traced.
        """
        while True:
            thread, status = os.waitpid(-1, ALL | (0 if block else os.WNOHANG))
            if not thread:
                return None
            if not os.WIFSTOPPED(status):
                self._forget(thread)
                continue
            with suppress(ProcessLookupError):  # it is killed meanwhile
                if (stop := self._stop_of(thread, status)) is not None:
                    self._waiting[thread] = stop.signal
                    return stop

    def resume(self, thread: int, number: int = 0) -> None:
        """Let a thread go on that `wait` has returned.

        Args:
            thread: its id.
            number: the signal that it gets; 0: none.
        """
        self._waiting.pop(thread, None)
        with suppress(ProcessLookupError):
            ptrace(CONT, thread, number)

    def release(self) -> None:
        """Remove all breakpoints, and let all threads go on without a tracer."""
        self.remove(*self._inserted)
        gone: set[int] = set()
        while left := self._threads() - gone:
            for thread in left:
                with suppress(ProcessLookupError, ChildProcessError):
                    ptrace(DETACH, thread, self._interrupt(thread)[1])
            gone |= left
        self._close()

    def _threads(self) -> set[int]:
        with suppress(FileNotFoundError, ProcessLookupError):
            return set(map(int, os.listdir(f"/proc/{self.pid}/task")))
        return set()

    def _forget(self, thread: int) -> None:
        self._waiting.pop(thread, None)
        self._early.discard(thread)
        self._borrowers.discard(thread)

    def _stop_of(self, thread: int, status: int) -> Stop | None:
        """Return why a thread has stopped; None: it has gone on, or waits for others."""
        number, event = os.WSTOPSIG(status), status >> 16
        if not event:
            address = self._hit(thread, number)
            return Stop(thread, What.HIT, address) if address else Stop(thread, What.SIGNAL, number)
        if event == kernel.EVENT_EXEC:
            return self._executed(thread)
        if event in (kernel.EVENT_FORK, kernel.EVENT_VFORK):
            self._forked(thread, shares=event == kernel.EVENT_VFORK)
        elif event == kernel.EVENT_STOP and number in _STOPS:
            ptrace(LISTEN, thread, 0)  # it stays stopped until SIGCONT
            return None
        elif event == kernel.EVENT_STOP and not self._is_ours(thread):
            self._early.add(thread)
            return None
        ptrace(CONT, thread, 0)
        return None

    def _is_ours(self, thread: int) -> bool:
        return thread in self._borrowers or os.path.exists(f"/proc/{self.pid}/task/{thread}")

    def _hit(self, thread: int, number: int) -> int:
        """Return the breakpoint that a thread has reached, and put the thread before it; 0: none.

        It may have been removed since.
        """
        if number != signal.SIGTRAP or not self._replaced:
            return 0
        address = kernel.pc_of(thread) - 1
        if address not in self._replaced or not kernel.is_breakpoint(thread):
            return 0
        kernel.set_pc(thread, address)
        return address

    def _executed(self, thread: int) -> Stop | None:
        if thread in self._borrowers:
            self._borrowers.discard(thread)
            ptrace(DETACH, thread, 0)
            return None
        self._close()
        self._replaced.clear()
        self._inserted.clear()
        return Stop(thread, What.PROGRAM)

    def _forked(self, parent: int, *, shares: bool) -> None:
        """Let a new process go on: with memory of its own it is not traced."""
        child = kernel.event_message(parent)
        with suppress(ProcessLookupError, ChildProcessError, FileNotFoundError):
            if child not in self._early:
                os.waitpid(child, ALL)
            self._early.discard(child)
            if shares:
                self._borrowers.add(child)
                ptrace(CONT, child, 0)
            else:
                self._clear(child)
                ptrace(DETACH, child, 0)

    def _clear(self, child: int) -> None:
        """Remove the breakpoints from the memory of a new process."""
        memory = os.open(f"/proc/{child}/mem", os.O_RDWR | os.O_CLOEXEC)
        try:
            self._write(memory, {address: self._replaced[address] for address in self._inserted})
        finally:
            os.close(memory)

    @contextmanager
    def _standing_still(self, but: int) -> Iterator[None]:
        """Stop all threads but one, which has stopped, for the time of a block."""
        stopped: list[tuple[int, int, int]] = []
        for thread in self._threads() - self._waiting.keys() - {but}:
            with suppress(ProcessLookupError, ChildProcessError):
                stopped.append((thread, *self._interrupt(thread)))
        try:
            yield
        finally:
            for thread, request, number in stopped:
                with suppress(ProcessLookupError):
                    ptrace(request, thread, number)

    def _interrupt(self, thread: int) -> tuple[int, int]:
        """Stop a thread, if it has not; return the request that lets it go on, and its signal."""
        if thread in self._waiting:
            return CONT, self._waiting.pop(thread)
        ptrace(INTERRUPT, thread, 0)
        _, status = os.waitpid(thread, ALL)
        if not os.WIFSTOPPED(status):
            raise ProcessLookupError
        number, event = os.WSTOPSIG(status), status >> 16
        if event in (kernel.EVENT_FORK, kernel.EVENT_VFORK):
            self._forked(thread, shares=event == kernel.EVENT_VFORK)
        if event == kernel.EVENT_STOP and number in _STOPS:
            return LISTEN, 0
        return CONT, 0 if event or self._hit(thread, number) else number

    def _close(self) -> None:
        if self._memory >= 0:
            os.close(self._memory)
            self._memory = -1
