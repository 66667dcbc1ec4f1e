"""Save and restore of a real QEMU within one process: an internal snapshot of the machine.

    save      `snapshot-save` into a qcow2 image of its own, beside the disks
    restore   `snapshot-load`: the machine is reset, then it loads the state

Guest memory is shared and stays as it is (`x-ignore-shared`), as in a migration, and so does the
disk, since only the image is snapshotted: a restore rolls nothing back but the devices. The process
goes on, with its drained sections. Source: QEMU save_snapshot, load_snapshot.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.targets.device_end import StateRefused
from vblkfuzz.targets.doors.image import IMAGE, Image
from vblkfuzz.targets.job import job_status
from vblkfuzz.targets.qemu.migration import SHARED

if TYPE_CHECKING:
    from vblkfuzz.targets.qmp import Qmp

_JOB: Final = "snapshot"
_SIZE: Final = 1 << 16
"""Bytes of the image; the state lies behind them."""
_WHERE: Final = {"tag": "state", "vmstate": IMAGE, "devices": [IMAGE]}


class InternalSnapshot:
    """The state of a stopped QEMU, in its image. Its methods are for an operator's work (`qmp`)."""

    def __init__(self, image: Image) -> None:
        self._image = image

    async def fill(self, qmp: Qmp) -> bool:
        """Save a stopped VM; return whether QEMU has done so.

        It cannot if a failed block job has kept the image.
        """
        if self._image.is_open:
            return False
        await qmp.call("migrate-set-capabilities", capabilities=SHARED)
        await self._image.open(qmp, _SIZE, read_only=False)
        if await _run(qmp, "snapshot-save"):
            return True
        await self._image.close(qmp)
        return False

    async def load(self, qmp: Qmp) -> None:
        """Load the state, and free the image.

        Raises:
            StateRefused: QEMU cannot load it.
        """
        if not await _run(qmp, "snapshot-load"):
            raise StateRefused("QEMU cannot load the state")
        await self._image.close(qmp)

    def close(self) -> None:
        """Do nothing: the image ends with the process."""


async def _run(qmp: Qmp, command: str) -> bool:
    """Run a job to its end; return whether it has succeeded."""
    if not await qmp.attempt(command, job_id=_JOB, **_WHERE):
        return False
    await job_status(qmp, _JOB, "concluded")
    (job,) = [job for job in await qmp.call("query-jobs") if job["id"] == _JOB]
    await qmp.call("job-dismiss", id=_JOB)
    return "error" not in job
