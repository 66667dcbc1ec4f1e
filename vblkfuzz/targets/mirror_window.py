"""A long drained section of a real device: a mirror job that waits to be finalized.

From BLOCK_JOB_PENDING on the source of the job is drained, and the main loop keeps running. The job
ends without switching the graph (a soft cancel) or, by a pivot, with the device on the target.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.targets.qmp import Qmp

_JOB: Final = "mirror"


class MirrorWindow:
    """The section; a disk has one at a time. Its methods are for an operator's work (`qmp`)."""

    def __init__(self, qmp: Qmp) -> None:
        self._qmp = qmp
        self._pivots = False

    async def open(self, device: str, target: str, *, sync: str, pivot: bool) -> bool:
        """Start a mirror job that drains a node; return whether it does.

        The job ends at once if one of its own requests fails.

        Args:
            device: name of the node.
            target: name of the node that it is mirrored to.
            sync: what it copies, "full" or "none".
            pivot: the device goes on with the target.
        """
        self._pivots = pivot
        await self._qmp.call(
            "blockdev-mirror",
            job_id=_JOB,
            device=device,
            target=target,
            sync=sync,
            auto_finalize=False,
        )
        if await self._status("ready", "null") == "null":
            return False
        if pivot:
            await self._qmp.attempt("job-complete", id=_JOB)
        else:
            await self._qmp.attempt("block-job-cancel", device=_JOB)
        return await self._status("pending", "null") == "pending"

    async def close(self) -> bool:
        """Finalize the job and wait until it is gone; return whether the device has switched."""
        await self._qmp.call("job-finalize", id=_JOB)
        if await self._status("aborting", "null") == "aborting":
            await self._status("null")
            return False
        return self._pivots

    async def _status(self, *statuses: str) -> str:
        """Wait until the job has one of these statuses; return the status."""
        event = await self._qmp.event(lambda event: _is_job(event, statuses))
        return str(event["data"]["status"])


def _is_job(event: dict[str, Any], statuses: Sequence[str]) -> bool:
    if event["event"] != "JOB_STATUS_CHANGE":
        return False
    data = event["data"]
    return data["id"] == _JOB and data["status"] in statuses
