"""A disk image in memory: a qcow2 file, which can have a backing node."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from vblkfuzz.targets.child import memfd
from vblkfuzz.targets.job import attempt_again, job_status

if TYPE_CHECKING:
    from vblkfuzz.targets.qmp import Qmp

IMAGE: Final = "image"
"""Name of its node; a device process has one at a time."""
_FILE: Final = "image-file"
_JOB: Final = "create"


class Image:
    """The file; it has a node from `open` to `close`, methods for an operator's work (`qmp`)."""

    def __init__(self) -> None:
        self.fd = memfd("image")
        """A device process inherits it."""
        self.is_open = False
        """Whether it has a node; that of a failed job may stay for good."""

    async def open(self, qmp: Qmp, size: int, *, read_only: bool) -> None:
        """Write an empty image of `size` bytes and add its node."""
        self.is_open = True
        path = f"/proc/self/fd/{self.fd}"
        await qmp.call("blockdev-add", driver="file", node_name=_FILE, filename=path, locking="off")
        options = {"driver": "qcow2", "file": _FILE, "size": size}
        await qmp.call("blockdev-create", job_id=_JOB, options=options)
        await job_status(qmp, _JOB, "concluded")
        await qmp.call("job-dismiss", id=_JOB)
        await qmp.call(
            "blockdev-add",
            driver="qcow2",
            node_name=IMAGE,
            file=_FILE,
            backing=None,
            read_only=read_only,
        )

    async def close(self, qmp: Qmp) -> bool:
        """Remove the node; return whether QEMU does so (`attempt_again`)."""
        if not await attempt_again(qmp, "blockdev-del", node_name=IMAGE):
            return False
        await qmp.call("blockdev-del", node_name=_FILE)
        self.is_open = False
        return True

    def free(self) -> None:
        """Free the file."""
        os.close(self.fd)
