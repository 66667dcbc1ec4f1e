"""Where a device process gets a fatal signal: read from its registers and its stack by a watcher.

The watcher is a process of its own that traces the device (ptrace(2), PTRACE_SEIZE). A traced
thread stops only when it gets a signal or starts a thread, so the device is not slowed down. When a
fatal signal arrives, the watcher reads the place and lets the thread go on. No debugger is needed,
and no core file. Tracing begins before the program does, so that no thread is missed. A process has
one tracer at most, so the watcher notes its coverage as well (`coverage.functions`).

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
from functools import partial
from typing import TYPE_CHECKING, Final

from vblkfuzz.limits import BUSY_LIMIT_S
from vblkfuzz.process.forked import Forked, close_all_but
from vblkfuzz.process.nursery import Nursery
from vblkfuzz.process.parent_death import die_with_parent
from vblkfuzz.targets.breakpoints.tracee import Tracee, What
from vblkfuzz.targets.coverage.functions import FunctionWatch
from vblkfuzz.targets.coverage.reached import REFUSED
from vblkfuzz.targets.native.mappings import Code, Mapping, code_at, mappings_of
from vblkfuzz.targets.native.program_file import Program
from vblkfuzz.targets.native.ptrace import registers_of
from vblkfuzz.targets.native.unwinder import Unwinder

if TYPE_CHECKING:
    import socket

    from vblkfuzz.process.nursery import Nursling
    from vblkfuzz.targets.coverage.reached import Reached
    from vblkfuzz.targets.native.ptrace import Registers

_FATAL: Final = frozenset(
    {
        *(signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL),
        *(signal.SIGABRT, signal.SIGTRAP, signal.SIGSYS),
    }
)
_RELEASE: Final = signal.SIGUSR1
"""Signal that tells the watcher to let the process go."""
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


def watchers(reached: Reached | None) -> Nursery:
    """Return what forks watchers; `reached` is where they note the functions that devices reach."""
    return Nursery(partial(_serve, reached))


class Watcher:
    """The fuzz process's handle on the watcher of one device process."""

    def __init__(self, watchers: Nursery | None = None) -> None:
        """Fork the watcher, which waits for `begin`; on another machine do nothing.

        Args:
            watchers: forks it; None: this process does, and it notes no coverage.
        """
        self._forked: Forked | Nursling = Forked(partial(_serve, None))
        if platform.machine() == "x86_64":
            if watchers:
                self._forked = watchers.fork()
            else:
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

    def release(self) -> None:
        """End it; the device process runs on, and can be traced by a debugger."""
        if self.pid:
            os.kill(self.pid, _RELEASE)
            self._forked.line.settimeout(BUSY_LIMIT_S)
            with suppress(OSError):
                while self._forked.line.recv(_PACKET):
                    pass
        self.stop()

    def stop(self) -> None:
        """Kill it; a device process with breakpoints ends with it."""
        self._forked.stop()


def _serve(reached: Reached | None, line: socket.socket) -> None:
    """Trace the process whose id arrives, until it ends."""
    close_all_but(line.fileno())
    pid = int(line.recv(_PACKET))
    _end_group_with_parent(pid)
    # Blocked, they are queued: none is lost between two looks.
    signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGCHLD, _RELEASE))
    try:
        tracee = Tracee(pid, breakpoints=reached is not None)
    except OSError:
        if reached is not None:
            reached.note_problem(REFUSED)
        line.send(b"refused")
        line.send(json.dumps([]).encode())
        signal.sigwaitinfo((_RELEASE,))  # it still ends the process group
        os._exit(0)
    line.send(b"traced")
    watch = FunctionWatch(reached) if reached is not None else None
    line.send(json.dumps(_watch(tracee, watch)).encode())


def _watch(tracee: Tracee, watch: FunctionWatch | None) -> list[str]:
    """Watch a process until it ends; return the functions on the stack of its fatal signal.

    If the watcher is told to release the process, it does so and exits.
    """
    found: list[str] = []
    with suppress(ChildProcessError):
        while True:
            while stop := tracee.wait(block=False):
                if stop.what is What.SIGNAL and stop.number in _FATAL:
                    with suppress(OSError):
                        found = _stack(tracee.pid, stop.thread) or found
                elif watch and stop.what is What.PROGRAM:
                    watch.begin(tracee)
                elif watch and stop.what is What.HIT:
                    watch.hit(tracee, stop.number)
                tracee.resume(stop.thread, stop.signal)
            if signal.sigwaitinfo((signal.SIGCHLD, _RELEASE)).si_signo == _RELEASE:
                tracee.release()
                os._exit(0)
    return found


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
