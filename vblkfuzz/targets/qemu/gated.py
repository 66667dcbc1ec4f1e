"""QEMU behind a gate: its trace lines are points at which a schedule interrupts its threads.

With ``-d tid`` (since QEMU 7.1) each thread writes to a log file of its own, so a thread that
sleeps in its write keeps no other one from writing. The name of that file leads to /dev/null by a
file that the process has inherited. Nothing is ever written: the gate answers each write.

Events are switched on by QMP after the start, which takes thousands of locks.
"""

from __future__ import annotations

import os
import re
import threading
from typing import TYPE_CHECKING, Final

from vblkfuzz.gate.available import why_no_gate
from vblkfuzz.gate.core import share_one
from vblkfuzz.gate.gate import Gate
from vblkfuzz.gate.installation import Installation
from vblkfuzz.gate.line import LOCKS
from vblkfuzz.limits import DEVICE_LIMIT_S
from vblkfuzz.targets.binary import version_of
from vblkfuzz.targets.stillness import SPIN_S, Stillness

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from vblkfuzz.targets.qmp import Qmp

SINCE: Final = (7, 1)
"""First version with ``-d tid``."""
LIGHT: Final = (
    *("aio_co_schedule", "aio_co_schedule_bh_cb", "thread_pool_*"),
    *("virtio_set_status", "virtio_blk_data_plane_*", "virtio_blk_ioeventfd_*"),
    *("virtio_blk_rw_complete", "virtio_blk_req_complete", "blk_co_p*"),
    *("job_state_transition", "mirror_*", "qmp_enter_*"),
    *("run_poll_handlers_begin", "run_poll_handlers_end"),
)
"""Events that are always points, beside those of the trace log; which of them exist depends on the
version. A star stands for any text."""
_LINE: Final = 64
"""Bytes to read of a wchan."""


def why_not_gated(binary: str) -> str:
    """Return why this QEMU runs without a gate, in one sentence; empty: it need not."""
    found = re.match(r"(\d+)\.(\d+)", version_of(binary))
    if found is None or (int(found[1]), int(found[2])) < SINCE:
        return "QEMU before 7.1 has one log for all threads: schedules do not interrupt them"
    reason = why_no_gate()
    return f"{reason}: schedules do not interrupt the threads of QEMU" if reason else ""


class QemuGate:
    """The gate of one QEMU process, and what it has to know."""

    def __init__(self, gate: Gate, qmp: Qmp, pids: Sequence[int]) -> None:
        """Watch `pids`: the process, and those that serve it."""
        self.gate = gate
        self._qmp, self._pids = qmp, pids
        self._locks = False
        """Whether locks are points."""
        self._rest: Stillness | None = None
        self._asker: _Asker | None = None

    def begin(self) -> None:
        """Make the light events points of a process that has started.

        Raises:
            DeviceLost: it does not answer.
        """
        self._qmp.run(_watch(self._qmp, LIGHT, on=True))

    def start(self, guest: int) -> None:
        """Begin a scenario of the guest process `guest`."""
        self.free()
        self._rest = rest = Stillness(*self._pids, guest, held=lambda: self.gate.held)
        self._asker = asker = _Asker()
        spell = _Spell(rest)

        def runs_on() -> bool:
            return spell.is_long(self.gate.held) and asker.waits

        self.gate.start(lambda: asker.sleeps_while(lambda: rest.wait(0)), runs_on)

    def watch_locks(self, *, on: bool) -> None:
        """Make locks points, or not any more; then wait until all threads sleep again."""
        if on == self._locks:
            return
        self._locks = on
        self._qmp.run(_watch(self._qmp, LOCKS, on=on))
        self._qmp.still.wait(DEVICE_LIMIT_S)

    def free(self) -> None:
        """End the scenario."""
        self.gate.free()
        for used in (self._rest, self._asker):
            if used is not None:
                used.close()
        self._rest = self._asker = None


class _Asker:
    """The calling thread, which asks the device and waits for its answers in a poll(2) or alike.

    When an answer has come, it waits for the lock of the interpreter instead, or runs.
    """

    def __init__(self) -> None:
        folder = f"/proc/self/task/{threading.get_native_id()}"
        self._wchan = os.open(f"{folder}/wchan", os.O_RDONLY)
        self._schedstat = os.open(f"{folder}/schedstat", os.O_RDONLY)

    @property
    def waits(self) -> bool:
        """Whether it waits for an answer."""
        return b"poll" in self._where()

    def sleeps_while(self, looks: Callable[[], bool]) -> bool:
        """Whether it has waited all the time of a look at others, which is true."""
        before = os.pread(self._schedstat, _LINE, 0)
        if not (self.waits and looks()):
            return False
        return b"poll" in self._where() and os.pread(self._schedstat, _LINE, 0) == before

    def _where(self) -> bytes:
        return os.pread(self._wchan, _LINE, 0)

    def close(self) -> None:
        """Close its files."""
        os.close(self._wchan)
        os.close(self._schedstat)


class _Spell:
    """The CPU time of a device since the same threads are held."""

    def __init__(self, rest: Stillness) -> None:
        self._rest = rest
        self._held: frozenset[str] = frozenset()
        self._since = 0.0

    def is_long(self, held: frozenset[str]) -> bool:
        """Whether it is as long as that of a thread that spins (`SPIN_S`)."""
        if held != self._held:
            self._held, self._since = held, self._rest.seconds()
        return self._rest.seconds() > self._since + SPIN_S


class GateDoor:
    """What a QEMU needs to start behind a gate: the filter, and a log that leads nowhere."""

    def __init__(self) -> None:
        self._installation = Installation()
        self.null = os.open(os.devnull, os.O_WRONLY)
        """fd of /dev/null, which the process inherits."""

    def prepare(self) -> None:
        """Install the filter, on one core (`Child`)."""
        share_one()
        self._installation.prepare()

    def open(self, pid: int, told: Callable[[int, bytes], None]) -> Gate:
        """Return the gate of the process, which has started; `told` as in `Gate`.

        Raises:
            NoGate: this machine has none.
        """
        return Gate(self._installation.listener(), pid, told)

    def close(self) -> None:
        """Close what only the process needs."""
        self._installation.close()
        os.close(self.null)


def log_options(null: int) -> str:
    """Return the options of the log; `null` is an fd of /dev/null that the process inherits."""
    return f"-d tid -D /proc/self/task/%d/fd/{null}"


async def _watch(qmp: Qmp, events: Iterable[str], *, on: bool) -> None:
    """Make events points, or not any more.

    Raises:
        DeviceLost: there is no answer.
    """
    for name in events:
        await qmp.call("trace-event-set-state", name=name, enable=on, ignore_unavailable=True)
