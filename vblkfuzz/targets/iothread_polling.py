"""Whether an IOThread polls: `poll-max-ns`, a property that QMP can set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from vblkfuzz.targets.qmp import Qmp

IOTHREAD: Final = "io0"
"""Its id in each device process."""
_POLL_NS: Final = 32768
"""QEMU's default for poll-max-ns."""


class IOThreadPolling:
    """Polling of the IOThread of a process, which starts without."""

    def __init__(self, qmp: Qmp) -> None:
        self._qmp = qmp
        self.on = False
        """Whether it polls."""

    async def switch(self, *, on: bool) -> None:
        """Let it poll, or wait for its notifiers."""
        if self.on != on:
            self.on = on
            await self._qmp.call(
                "qom-set",
                path=f"/objects/{IOTHREAD}",
                property="poll-max-ns",
                value=_POLL_NS if on else 0,
            )
