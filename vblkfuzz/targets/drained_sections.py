"""The drained sections of an operator of a real device: what all such operators do alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vblkfuzz.targets.open_sections import OpenSections
from vblkfuzz.trace.kinds import DRAIN_END

if TYPE_CHECKING:
    from vblkfuzz.scenario.op import Op
    from vblkfuzz.targets.recorder import Recorder


class DrainedSections:
    """Operations that begin and end sections; how a device does that is up to its operator."""

    def __init__(self, units: int = 1) -> None:
        """Begin without a section; `units`: logical units of the device."""
        self._open = OpenSections(units)

    async def drain_begin(self, operation: Op, recorder: Recorder) -> None:
        """Open a section, or a short one within another; if that fails, record its end at once."""
        raise NotImplementedError  # each operator has its own

    async def _close(self, began: str, recorder: Recorder, *, cancelled: bool = False) -> None:
        """End the innermost section that the operation `began` has begun, if there is one."""
        raise NotImplementedError  # each operator has its own

    async def mirror_begin(self, operation: Op, recorder: Recorder) -> None:
        """As `drain_begin`, but only one at a time."""
        if operation.name not in self._open:
            await self.drain_begin(operation, recorder)

    async def drain_end(self, operation: Op, recorder: Recorder) -> None:
        """End the innermost section that drain_begin began, if there is one."""
        await self._close("drain_begin", recorder, cancelled=bool(operation.a))

    async def mirror_finish(self, operation: Op, recorder: Recorder) -> None:
        """End the section that mirror_begin began, if there is one."""
        await self._close("mirror_begin", recorder, cancelled=bool(operation.a))

    def _end_innermost(self, recorder: Recorder) -> None:
        """Record the end of a section that has ended by itself."""
        self._open.end_innermost()
        recorder.tell(DRAIN_END, value=len(self._open))

    def _end_all(self, recorder: Recorder) -> None:
        """Record the end of all sections: they end with the process."""
        while self._open:
            self._end_innermost(recorder)
