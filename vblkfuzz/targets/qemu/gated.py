"""QEMU behind a gate: its trace lines are points at which a schedule interrupts its threads.

With ``-d tid`` (since QEMU 7.1) each thread writes to a log file of its own, so a thread that
sleeps in its write keeps no other one from writing. The name of that file leads to /dev/null by a
file that the process has inherited. Nothing is ever written: the gate answers each write.

Events are switched on by QMP after the start, which takes thousands of locks.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

from vblkfuzz.gate.available import why_no_gate
from vblkfuzz.gate.filter import Calls
from vblkfuzz.gate.line import LOCKS
from vblkfuzz.limits import DEVICE_LIMIT_S
from vblkfuzz.targets.binary import version_of
from vblkfuzz.targets.gated import GateDoor, GatedProcess

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from vblkfuzz.gate.gate import Gate
    from vblkfuzz.targets.qmp import Qmp

SINCE: Final = (7, 1)
"""First version with ``-d tid``."""
LIGHT: Final = (
    *("aio_co_schedule", "aio_co_schedule_bh_cb", "thread_pool_*"),
    *("virtio_set_status", "virtio_blk_data_plane_*", "virtio_blk_ioeventfd_*"),
    *("virtio_scsi_cmd_*", "scsi_req_*", "scsi_bus_drained_*"),
    *("virtio_blk_rw_complete", "virtio_blk_req_complete", "blk_co_p*"),
    *("job_state_transition", "mirror_*", "qmp_enter_*"),
    *("run_poll_handlers_begin", "run_poll_handlers_end"),
)
"""Events that are always points, beside those of the trace log; which of them exist depends on the
version. A star stands for any text."""


def why_not_gated(binary: str) -> str:
    """Return why this QEMU runs without a gate, in one sentence; empty: it need not."""
    found = re.match(r"(\d+)\.(\d+)", version_of(binary))
    if found is None or (int(found[1]), int(found[2])) < SINCE:
        return "QEMU before 7.1 has one log for all threads: schedules do not interrupt them"
    reason = why_no_gate()
    return f"{reason}: schedules do not interrupt the threads of QEMU" if reason else ""


class QemuGate(GatedProcess):
    """The gate of one QEMU process, and what it has to know."""

    def __init__(self, gate: Gate, qmp: Qmp, pids: Sequence[int]) -> None:
        """Watch `pids`: the process, and those that serve it."""
        super().__init__(gate, pids)
        self._qmp = qmp
        self._locks = False
        """Whether locks are points."""

    def begin(self) -> None:
        """Make the light events points of a process that has started.

        Raises:
            DeviceLost: it does not answer.
        """
        self._qmp.run(_watch(self._qmp, LIGHT, on=True))

    def watch_locks(self, *, on: bool) -> None:
        """Make locks points, or not any more; then wait until all threads sleep again."""
        if on == self._locks:
            return
        self._locks = on
        self._qmp.run(_watch(self._qmp, LOCKS, on=on))
        self._qmp.still.wait(DEVICE_LIMIT_S)


class LogDoor(GateDoor):
    """What a QEMU needs to start behind a gate: the filter, and a log that leads nowhere."""

    def __init__(self) -> None:
        super().__init__(Calls.LINES)
        self.null = os.open(os.devnull, os.O_WRONLY)
        """fd of /dev/null, which the process inherits."""

    def close(self) -> None:
        """Close what only the process needs."""
        super().close()
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
