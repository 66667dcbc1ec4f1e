"""Block jobs, from start to end: backup, commit and stream.

Each drains the disk for a moment when it starts and when it ends. Backup copies the disk to an
image. The other two put an overlay on top first (blockdev-snapshot), which the device goes on with:
commit writes it back and removes it; stream copies the disk into it, and then a mirror job does the
way back. So the device ends on its own node, whatever requests of a job have failed.

QEMU refuses all that while another job uses the disk. Then nothing happens. A job that fails while
it starts may keep its filter on a node (`targets.job`): then the device stays on the overlay, or
the image stays in use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vblkfuzz.limits import MAX_OPS
from vblkfuzz.targets.doors.image import IMAGE, Image
from vblkfuzz.targets.job import attempt_again, job_status, job_succeeds

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from vblkfuzz.targets.qmp import Qmp

_JOB: Final = "block-job"
_TRIES: Final = MAX_OPS + 1
"""Times that the way back is tried. An operation of the backend fails one request, and a scenario
has at most MAX_OPS of them; what fails more often fails for another reason, again and again."""


class Disk(NamedTuple):
    """The disk of a device."""

    node: dict[str, object]
    """Options of its node, as for blockdev-reopen."""
    size: int
    """In bytes."""

    @property
    def name(self) -> object:
        """Name of its node."""
        return self.node["node-name"]

    @property
    def read_only(self) -> bool:
        """Whether the node is."""
        return bool(self.node.get("read-only"))


class BlockJobs:
    """The jobs of one device process."""

    def __init__(self, qmp: Qmp, image: Image) -> None:
        self._qmp = qmp
        self._image = image
        self.failed = False
        """A job has failed. The process may have kept nodes of it, which disturb later ones."""

    async def run(self, kind: int, disk: Disk) -> bool:
        """Run a job, unless an earlier one has kept the image.

        Args:
            kind: as the operation `block_job` has it.
            disk: what the device uses.

        Returns: whether the device is on its own node again.
        """
        if self._image.is_open:
            return True
        copies = kind == _KINDS.index(BlockJobs.backup)
        await self._image.open(self._qmp, disk.size, read_only=disk.read_only and not copies)
        returned = await _KINDS[kind](self, disk)
        self.failed |= not (returned and await self._image.close(self._qmp))
        return returned

    async def backup(self, disk: Disk) -> bool:
        """Copy the disk to the image."""
        if await self._qmp.attempt(
            "blockdev-backup", job_id=_JOB, device=disk.name, target=IMAGE, sync="full"
        ):
            await self._succeeds()
        return True

    async def commit(self, disk: Disk) -> bool:
        """Go on with an overlay, and write it back; return whether that works."""
        if not await self._put_overlay(disk):
            return True
        return await self._return("block-commit", device=IMAGE)

    async def stream(self, disk: Disk) -> bool:
        """Go on with an overlay, copy the disk into it, and mirror it back, if that works."""
        if not await self._put_overlay(disk):
            return True
        await self._qmp.call("block-stream", job_id=_JOB, device=IMAGE)
        if not await self._succeeds():
            return await self._return("block-commit", device=IMAGE)
        # blockdev-snapshot has made it read-only, as a backing file should be.
        await self._qmp.attempt("blockdev-reopen", options=[{**disk.node, "read-only": False}])
        return await self._return("blockdev-mirror", device=IMAGE, target=disk.name, sync="full")

    async def _succeeds(self) -> bool:
        succeeds = await job_succeeds(self._qmp, _JOB)
        self.failed |= not succeeds
        return succeeds

    async def _put_overlay(self, disk: Disk) -> bool:
        return await self._qmp.attempt("blockdev-snapshot", node=disk.name, overlay=IMAGE)

    async def _return(self, command: str, **arguments: object) -> bool:
        """Let the device go back to its own node, by a job that is repeated until it succeeds.

        Returns: False if QEMU refuses the job, or fails it whatever the backend does.
        """
        for _ in range(_TRIES):
            if not await attempt_again(self._qmp, command, job_id=_JOB, **arguments):
                return False
            if await job_status(self._qmp, _JOB, "ready", "null") == "null":
                self.failed = True
                continue
            await self._qmp.attempt("job-complete", id=_JOB)
            if await self._succeeds():
                return True
        return False


_KINDS: Final[tuple[Callable[[BlockJobs, Disk], Awaitable[bool]], ...]] = (
    BlockJobs.backup,
    BlockJobs.commit,
    BlockJobs.stream,
)
