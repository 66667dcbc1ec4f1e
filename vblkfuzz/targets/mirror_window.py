"""A long drained section of a real device: a mirror job that waits to be finalized.

From BLOCK_JOB_PENDING on the source of the job is drained, and the main loop keeps running. The job
ends without switching the graph (a soft cancel) or, by a pivot, with the device on the target. It
may be cancelled by force instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.limits import MAX_UNITS
from vblkfuzz.targets.job import attempt_again, job_status, job_succeeds

if TYPE_CHECKING:
    from vblkfuzz.targets.qmp import Qmp

_JOBS: Final = ("j", "k", "l")
"""Ids, by unit. Short ones: QEMU reads commands byte by byte (`targets.qmp`), and three name the
job."""
assert len(_JOBS) == MAX_UNITS


class MirrorWindow:
    """The section; a disk has one at a time. Its methods are for an operator's work (`qmp`)."""

    def __init__(self, qmp: Qmp, unit: int = 0) -> None:
        self._qmp, self._job = qmp, _JOBS[unit]
        self._pivots = False
        self.failed = False
        """A section could not be opened. The process may have kept nodes of the job, which disturb
        later ones."""

    async def open(self, device: str, target: str, *, sync: str, pivot: bool) -> bool:
        """Start a mirror job that drains a node; return whether it does.

        The job ends at once if one of its own requests fails. QEMU refuses it on a node of which
        such a job has kept a part (`attempt_again`).

        Args:
            device: name of the node.
            target: name of the node that it is mirrored to.
            sync: what it copies, "full" or "none".
            pivot: the device goes on with the target.
        """
        opened = await self._open(device, target, sync=sync, pivot=pivot)
        self.failed |= not opened
        return opened

    async def _open(self, device: str, target: str, *, sync: str, pivot: bool) -> bool:
        self._pivots = pivot
        arguments = {"device": device, "target": target, "sync": sync, "auto_finalize": False}
        if not await attempt_again(self._qmp, "blockdev-mirror", job_id=self._job, **arguments):
            return False
        if await job_status(self._qmp, self._job, "ready", "null") == "null":
            return False
        if pivot:
            await self._qmp.attempt("job-complete", id=self._job)
        else:
            await self._qmp.attempt("block-job-cancel", device=self._job)
        return await job_status(self._qmp, self._job, "pending", "null") == "pending"

    async def close(self, *, cancelled: bool) -> bool:
        """End the job and wait until it is gone; return whether the device has switched.

        Args:
            cancelled: by force, which aborts the job; else it is finalized.
        """
        await self._qmp.call("job-cancel" if cancelled else "job-finalize", id=self._job)
        return await job_succeeds(self._qmp, self._job) and self._pivots
