"""A job of QEMU and its states (QAPI JobStatus), as its events tell them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.targets.qmp import Qmp


async def job_status(qmp: Qmp, job: str, *statuses: str) -> str:
    """Wait until a job has one of these statuses; return the status."""
    event = await qmp.event(lambda event: _is_job(event, job, statuses))
    return str(event["data"]["status"])


async def job_succeeds(qmp: Qmp, job: str) -> bool:
    """Wait until a job is gone; return whether it has succeeded."""
    if await job_status(qmp, job, "aborting", "null") == "null":
        return True
    await job_status(qmp, job, "null")
    return False


async def attempt_again(qmp: Qmp, command: str, **arguments: object) -> bool:
    """Try a command that needs a node which no job uses; return whether QEMU carries it out.

    QEMU tells the end of a job before it has freed the job. While it waits for a flush then, it may
    take one command, which finds the node in use (block_job_free, bdrv_close). The next command is
    taken after that. If QEMU refuses that one too, the node stays in use: a mirror job that fails
    while it starts leaves its filter on the node (seen on 7.2).
    """
    first = await qmp.attempt(command, **arguments)
    return first or await qmp.attempt(command, **arguments)


def _is_job(event: dict[str, Any], job: str, statuses: Sequence[str]) -> bool:
    if event["event"] != "JOB_STATUS_CHANGE":
        return False
    data = event["data"]
    return data["id"] == job and data["status"] in statuses
