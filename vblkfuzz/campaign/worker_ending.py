"""How a worker ended that nothing had told to end, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vblkfuzz.campaign.worker_log import last_words
from vblkfuzz.errors import ExitStatus
from vblkfuzz.limits import STUCK_LIMIT_S

if TYPE_CHECKING:
    from vblkfuzz.launch.local import WorkerProcess


def ending_of(worker: WorkerProcess) -> str:
    """Return it with the last line of its log, which says why if the worker ended itself."""
    code = worker.exit_code
    if worker.stuck:
        return _in_log(worker, f"ran nothing for {STUCK_LIMIT_S:g} s and was ended")
    if code == ExitStatus.HARNESS:
        return _with_words(worker, "gave up")
    if code is not None and code < 0:
        return _in_log(worker, f"was ended by signal {-code}")
    how = f"ended with exit status {code}" if code else "ended before its budget was spent"
    return _with_words(worker, how)


def _with_words(worker: WorkerProcess, how: str) -> str:
    words = last_words(worker.log)
    return _in_log(worker, f"{how}: {words}" if words else how)


def _in_log(worker: WorkerProcess, how: str) -> str:
    return f"worker {worker.plan.index} {how}, see {worker.log}"
