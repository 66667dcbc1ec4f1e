"""Where a device process gets a fatal signal: read from its registers and its stack by a watcher.

The watcher is a process of its own that traces the device (ptrace(2), PTRACE_SEIZE). A traced
thread stops only when it gets a signal or starts a thread, so the device is not slowed down. When a
fatal signal arrives, the watcher reads the place and lets the thread go on. No debugger is needed,
and no core file. Tracing begins before the program does, so that no thread is missed.

The place is the innermost function on the stack that is not one of the run-time libraries, since
of memcpy and abort the caller is what tells bugs apart. Callers are found by call frame information
(`targets.unwinder`). Where that fails, as on a broken stack, they are guessed: words on the stack
that point behind a call instruction. Some of these may be left over from calls that have ended.

Without ptrace (another machine than x86-64, a container that forbids it) a crash has no place. A
file that has been replaced since the program started has no places either.
"""

from __future__ import annotations

import ctypes
import json
import os
import platform
import signal
import struct
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from vblkfuzz.process.forked import Forked
from vblkfuzz.process.parent_death import die_with_parent
from vblkfuzz.targets.mappings import Code, Mapping, code_at, mappings_of
from vblkfuzz.targets.program_file import Program
from vblkfuzz.targets.ptrace import ALL, SEIZE, ptrace, registers_of
from vblkfuzz.targets.unwinder import Unwinder

if TYPE_CHECKING:
    import socket

    from vblkfuzz.targets.ptrace import Registers

_FATAL: Final = frozenset(
    {
        *(signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL),
        *(signal.SIGABRT, signal.SIGTRAP, signal.SIGSYS),
    }
)
_STOPS: Final = frozenset({signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU})
_CONT, _LISTEN = 7, 0x4208
"""Requests of ptrace(2)."""
_TRACE_CLONE: Final = 1 << 3
"""PTRACE_O_TRACECLONE: new threads are traced, too."""
_EVENT_STOP: Final = 128
_STACK_BYTES: Final = 16 << 10
_CALL_BYTES: Final = 7
"""Size of the longest call instruction."""
_MOST: Final = 12
"""Places to report at most."""
_WHOLE: Final = 2
"""Functions of the program on a stack at least, if the call frame information led to its end."""
_PACKET: Final = 1 << 16
_PATIENCE_S: Final = 5.0
_SET_PTRACER: Final = 0x59616D61
"""PR_SET_PTRACER of prctl(2)."""


class Watcher:
    """The fuzz process's handle on the watcher of one device process."""

    def __init__(self) -> None:
        """Fork the watcher, which waits for `begin`; on another machine do nothing."""
        self._forked = Forked(_serve)
        if platform.machine() == "x86_64":
            self._forked.start()
            self._forked.line.settimeout(_PATIENCE_S)

    @property
    def pid(self) -> int:
        """Its process id; 0: there is none."""
        return self._forked.pid

    def begin(self) -> None:
        """Have the calling process traced, if that is allowed; it calls this before execve(2).

        The watcher says whether it is; a device that is not traced runs all the same.
        """
        if not self.pid:
            return
        # Where only ancestors may trace (Yama, ptrace_scope 1), the process has to agree.
        ctypes.CDLL(None).prctl(_SET_PTRACER, self.pid, 0, 0, 0)
        with suppress(OSError):
            self._forked.line.send(str(os.getpid()).encode())
            self._forked.line.recv(_PACKET)

    def frames(self) -> list[str]:
        """Return the functions on the stack of the last fatal signal, the innermost first.

        Call it when the device process has ended: the watcher says it then.
        """
        with suppress(OSError, ValueError):
            return list(json.loads(self._forked.line.recv(_PACKET))) if self.pid else []
        return []

    def stop(self) -> None:
        """End it; the device process runs on, and can be traced by a debugger."""
        self._forked.stop()


def _serve(line: socket.socket) -> None:
    """Trace the process whose id arrives, until it ends."""
    _close_all_but(line.fileno())
    pid = int(line.recv(_PACKET))
    _end_group_with_parent(pid)
    try:
        ptrace(SEIZE, pid, _TRACE_CLONE)
    except OSError:
        line.send(b"refused")
        line.send(json.dumps([]).encode())
        while True:
            signal.pause()  # it still ends the process group
    line.send(b"traced")
    found: list[str] = []
    with suppress(ChildProcessError):
        while True:
            thread, status = os.waitpid(-1, ALL)
            if os.WIFSTOPPED(status):
                with suppress(ProcessLookupError):
                    found = _go_on(pid, thread, status) or found
    line.send(json.dumps(found).encode())


def _close_all_but(line: int) -> None:
    """Close what was inherited: a connection to the device must end when the device does."""
    most = max(map(int, os.listdir("/proc/self/fd")))
    os.closerange(3, line)
    os.closerange(line + 1, most + 1)


def _end_group_with_parent(pid: int) -> None:
    """End the whole process group `pid` if the fuzz process is killed.

    The kernel ends the device process then, but not the processes that it has started.
    """
    parent = os.getppid()

    def end(_number: int, _frame: object) -> None:
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        os._exit(0)

    signal.signal(signal.SIGTERM, end)
    die_with_parent(parent, signal.SIGTERM)


def _go_on(pid: int, thread: int, status: int) -> list[str]:
    """Let a thread go on that has stopped; return its functions if the signal is fatal."""
    number, event = os.WSTOPSIG(status), status >> 16
    if event == _EVENT_STOP and number in _STOPS:
        ptrace(_LISTEN, thread, 0)  # it stays stopped until SIGCONT
        return []
    found: list[str] = []
    if not event and number in _FATAL:
        with suppress(OSError):
            found = _stack(pid, thread)
    ptrace(_CONT, thread, 0 if event else number)
    return found


def _stack(pid: int, thread: int) -> list[str]:
    """Return the functions on the stack of a stopped thread, the innermost first."""
    registers = registers_of(thread)
    memory = os.open(f"/proc/{pid}/mem", os.O_RDONLY)
    try:
        exact = [f.name for f in Unwinder(pid).stack(memory, registers) if not f.run_time]
        found = exact if len(exact) >= _WHOLE else _guessed(pid, memory, registers)
    finally:
        os.close(memory)
    return list(dict.fromkeys(found[:_MOST]))


def _guessed(pid: int, memory: int, registers: Registers) -> list[str]:
    mappings = [part for part in mappings_of(pid) if not part.is_run_time]
    found = [registers.pc, *_return_addresses(memory, mappings, registers.sp)]
    return _names([code for address in found if (code := code_at(address, mappings))][:_MOST])


def _names(places: list[Code]) -> list[str]:
    """Return the functions at some places; those in files that cannot be read have no name."""
    files: dict[str, Program] = {}
    for file in {place.file for place in places}:
        with suppress(OSError, ValueError):
            files[file] = Program(file)
    return [files[file].name_of(offset) for file, offset in places if file in files]


def _return_addresses(memory: int, code: list[Mapping], stack: int) -> list[int]:
    """Return the words on a stack that point behind a call, each less one."""
    try:
        raw = os.pread(memory, _STACK_BYTES, stack)
    except OSError:  # the stack is what the thread has overrun
        return []
    words = struct.unpack(f"<{len(raw) // 8}Q", raw[: len(raw) // 8 * 8])
    inside = (
        word for word in words if any(part.start + _CALL_BYTES <= word < part.end for part in code)
    )
    return [
        word - 1
        for word in inside
        if _behind_call(os.pread(memory, _CALL_BYTES, word - _CALL_BYTES))
    ]


def _behind_call(before: bytes) -> bool:
    """Whether the seven bytes before an address end in a call instruction (E8, or FF /2)."""
    if before[2] == 0xE8:
        return True
    return any(before[at] == 0xFF and before[at + 1] >> 3 & 7 == 2 for at in (0, 1, 3, 4, 5))
