"""How a worker ended that nothing had told to end, in words, and whose doing it was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.campaign.worker_log import last_words
from vblkfuzz.errors import ExitStatus
from vblkfuzz.limits import STUCK_LIMIT_S
from vblkfuzz.targets.child import FROM_OUTSIDE

if TYPE_CHECKING:
    from vblkfuzz.launch.local import WorkerProcess

_IN_ORDER: Final = (
    ExitStatus.CLEAN,
    ExitStatus.HARNESS,
    ExitStatus.INTERRUPTED,
    ExitStatus.USER_STOP,
)
"""Exit statuses of a worker that no input has ended, or that has sent the input by itself."""


def ending_of(worker: WorkerProcess) -> str:
    """Return it with the last line of its log, which says why if the worker ended itself."""
    code = worker.exit_code
    if worker.stuck:
        return _in_log(worker, f"ran nothing for {STUCK_LIMIT_S:g} s and was ended")
    if code == ExitStatus.HARNESS:
        return _with_words(worker, "gave up")
    if code in (ExitStatus.INTERRUPTED, ExitStatus.USER_STOP):
        return _in_log(worker, "got a signal from outside and ended")
    if code is not None and code < 0:
        return _in_log(worker, f"was ended by signal {-code}{_whose(worker)}")
    how = f"ended with exit status {code}" if code else "ended before its budget was spent"
    return _with_words(worker, how)


def is_from_outside(worker: WorkerProcess) -> bool:
    """Whether a worker that has ended was killed by somebody else, who is not known."""
    code = worker.exit_code
    if worker.stuck or code is None or worker.lacked_memory:
        return False
    return -code in FROM_OUTSIDE or code in (ExitStatus.INTERRUPTED, ExitStatus.USER_STOP)


def is_of_input(worker: WorkerProcess) -> bool:
    """Whether the input that ran last is to blame for the end of a worker.

    A crash is its doing. libFuzzer makes an exit status of its own of some.
    """
    code = worker.exit_code
    return worker.stuck or (code not in (None, *_IN_ORDER) and -(code or 0) not in FROM_OUTSIDE)


def _whose(worker: WorkerProcess) -> str:
    if -(worker.exit_code or 0) not in FROM_OUTSIDE:
        return ""
    return ": the machine ran out of memory" if worker.lacked_memory else " from outside"


def _with_words(worker: WorkerProcess, how: str) -> str:
    words = last_words(worker.log)
    return _in_log(worker, f"{how}: {words}" if words else how)


def _in_log(worker: WorkerProcess, how: str) -> str:
    return f"worker {worker.plan.index} {how}, see {worker.log}"
