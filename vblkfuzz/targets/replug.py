"""An unplug as the trace of a real device has it: a reset that the driver gets no notice of.

The flag and the path tell it from other resets; `recorder` names by that path what outlives it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.trace.event import Frame
from vblkfuzz.trace.kinds import RESET_CALL, RESET_RET

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vblkfuzz.targets.dequeue import Dequeue
    from vblkfuzz.targets.hold import Hold
    from vblkfuzz.targets.recorder import Recorder

_UNPLUG: Final = 2
"""Flag of a RESET_CALL."""


def tell_unplug(recorder: Recorder, dequeues: Callable[[], Sequence[Dequeue | Hold]]) -> None:
    """Record that the device is about to be unplugged."""
    recorder.look(dequeues)
    recorder.tell(RESET_CALL, flag=_UNPLUG)


def tell_unplugged(recorder: Recorder, dequeues: Callable[[], Sequence[Dequeue | Hold]]) -> None:
    """Record that the device is gone, and all that it has done until now as done before that."""
    recorder.look(dequeues)
    recorder.tell(RESET_RET, path=int(Frame.REPLUG))
