"""Whether IOThreads poll: `poll-max-ns`, a property of each that QMP can set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.targets.qmp import Qmp

_POLL_NS: Final = 32768
"""QEMU's default for poll-max-ns."""


def iothread_id(index: int) -> str:
    """Return the id of an IOThread in each device process; its name in traces is the same."""
    return f"io{index}"


IOTHREAD: Final = iothread_id(0)
"""Id of the only one, or of the first."""


class IOThreadPolling:
    """Polling of the IOThreads of a process, which starts without."""

    def __init__(self, qmp: Qmp, iothreads: int = 1) -> None:
        """Begin without polling; only the first `iothreads` of a process are used."""
        self._qmp = qmp
        self.on: Sequence[bool] = (False,) * iothreads
        """Whether each polls."""

    async def switch(self, index: int, *, on: bool) -> None:
        """Let one poll, or wait for its notifiers; they are counted in a circle, as in the model.

        Without an IOThread there is no effect.
        """
        if self.on:
            at = index % len(self.on)
            await self.take([on if each == at else was for each, was in enumerate(self.on)])

    async def take(self, on: Sequence[bool]) -> None:
        """Let each poll, or wait for its notifiers, as `on` says."""
        before, self.on = self.on, tuple(on)
        for index, (was, now) in enumerate(zip(before, self.on, strict=True)):
            if was != now:
                await self._qmp.call(
                    "qom-set",
                    path=f"/objects/{iothread_id(index)}",
                    property="poll-max-ns",
                    value=_POLL_NS if now else 0,
                )

    async def take_all(self, *, on: bool) -> None:
        """Let all poll, or wait for their notifiers."""
        await self.take([on] * len(self.on))
