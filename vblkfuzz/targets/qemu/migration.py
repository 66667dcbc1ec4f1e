"""Save and restore of a real QEMU: a migration from one process to the next.

    save      `migrate` into a pipe, in which the state waits; the disk is given away (inactive)
    restore   the process is killed; a new one loads the state (`-incoming`), on the same memfds

Guest memory is shared (`x-ignore-shared`), so only the state of the devices is in the pipe, about
180 KB. Source: QEMU migration_completion, process_incoming_migration_co, bdrv_inactivate_all.
"""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING, Final

from vblkfuzz.errors import DeviceLost, HarnessError
from vblkfuzz.targets.activity.silence import ASLEEP_LOOKS, ASLEEP_S
from vblkfuzz.targets.begun import pause
from vblkfuzz.targets.device_end import StateRefused
from vblkfuzz.targets.qmp import Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.targets.qmp import Qmp

_PIPE_BYTES: Final = 1 << 20
"""The most that a user without privileges may have by default (pipe(7))."""
_NAME: Final = "state"
"""QEMU's name of its end of the pipe."""
_LOOK_S: Final = 0.001
"""Seconds between two looks at the progress."""
_IDLE_LOOKS: Final = round(ASLEEP_LOOKS * ASLEEP_S / _LOOK_S)
"""Number of looks in a row without progress before that is a hang."""
SHARED: Final = [{"capability": "x-ignore-shared", "state": True}]
"""Capabilities with which guest memory is no part of the state."""


class SavedState:
    """The state of a stopped QEMU, in a pipe."""

    def __init__(self, disks: Sequence[int]) -> None:
        """Make the pipe.

        Args:
            disks: the disk that each unit used when it was saved, an index into `DISK_NODES`.

        Raises:
            HarnessError: the kernel does not allow a pipe of that size.
        """
        self.disks = disks
        self._fds = list(os.pipe2(os.O_CLOEXEC))
        try:
            fcntl.fcntl(self._fds[1], fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        except OSError as error:
            self.close()
            raise HarnessError(f"no pipe for the state of QEMU: {error.strerror}") from None

    def close(self) -> None:
        """Free the pipe."""
        while self._fds:
            os.close(self._fds.pop())

    async def fill(self, qmp: Qmp) -> bool:
        """Save a stopped VM here; return whether QEMU has done so.

        Raises:
            DeviceLost: QEMU has ended, or does not answer.
        """
        try:
            await self._begin(qmp, "migrate", self._fds[1])
        except Refused:
            return False
        os.close(self._fds.pop())  # the reader shall find the end of the state
        return await _end_of(qmp) == "completed"

    async def load(self, qmp: Qmp) -> None:
        """Let a new QEMU load the state.

        Raises:
            StateRefused: it cannot load the state.
            DeviceLost: it has ended instead, or does not answer.
        """
        await self._begin(qmp, "migrate-incoming", self._fds[0])
        if await _end_of(qmp) != "completed":
            raise StateRefused("QEMU cannot load the state")

    async def _begin(self, qmp: Qmp, command: str, fd: int) -> None:
        await qmp.call("migrate-set-capabilities", capabilities=SHARED)
        await qmp.send_fd(_NAME, fd)
        await qmp.call(command, uri=f"fd:{_NAME}")


async def _end_of(qmp: Qmp) -> str:
    """Wait until a migration, at either end, has ended; return how.

    It hangs if nothing but the answers of the main loop has gone on for `_IDLE_LOOKS` looks.
    """
    idle = 0
    while idle < _IDLE_LOOKS:
        before = qmp.still.look()
        status = (await qmp.call("query-migrate")).get("status")
        if status in ("completed", "failed"):
            return str(status)
        await pause(_LOOK_S)
        idle = idle + 1 if qmp.still.only_main_ran(before) else 0
    raise DeviceLost("the migration does not end")
