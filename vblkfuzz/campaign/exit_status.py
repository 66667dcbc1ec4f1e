"""The exit status of a campaign."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vblkfuzz.errors import ExitStatus

if TYPE_CHECKING:
    from vblkfuzz.store.summary import Summary


def exit_status(summary: Summary, stopped: ExitStatus | None) -> ExitStatus:
    """Return the exit status: a stop by the user comes first, then faults, then new findings.

    A worker that somebody has killed, or that could not start, is told, but is no fault of the
    campaign: others went on, or it did itself. An execution without a verdict is one.

    Args:
        summary: of the campaign that has ended.
        stopped: why it was stopped; None: it has spent its budget.
    """
    if stopped in (ExitStatus.USER_STOP, ExitStatus.INTERRUPTED):
        return stopped
    if summary.fallbacks or stopped is ExitStatus.HARNESS:
        return ExitStatus.HARNESS
    if summary.findings:
        return ExitStatus.VIOLATION
    if summary.ended_worker or summary.harness_errors > summary.hangs:
        return ExitStatus.HARNESS
    if summary.always_fails:  # all its findings are silenced, or known from before
        return ExitStatus.HARNESS
    if not summary.execs:  # nothing was tested
        return ExitStatus.HARNESS
    return ExitStatus.TIMEOUT if summary.hangs else ExitStatus.CLEAN
