"""The last line: where in its own code a device process is, for whoever finds it dead.

A process that ends by `os._exit` or a signal says nothing, and takes its unpublished events along.
While it is watched, events and place are in shared memory before each line of the device's own code
runs. That is slow, so it is done only to repeat an execution that ended so.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Final

from vblkfuzz.process.blame import place_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from vblkfuzz.process.arena import Arena
    from vblkfuzz.process.own_code import OwnCode

    Tracer = Callable[[FrameType, str, object], "Tracer | None"]

_MAX_PLACES: Final = 16
"""Calls of the device's own that are noted, innermost first."""


class LastLine:
    """Watches the device while it is entered."""

    def __init__(self, own: OwnCode, arena: Arena) -> None:
        self._own = own
        self._place = arena.last_line
        self._ring = arena.device_ring

    def __enter__(self) -> None:
        """Begin."""
        self._before = sys.gettrace()
        sys.settrace(self._called)

    def __exit__(self, *_: object) -> None:
        """End."""
        sys.settrace(self._before)

    def _called(self, frame: FrameType, event: str, argument: object) -> Tracer | None:
        return self._passed if self._own.has(frame.f_code) else None

    def _passed(self, frame: FrameType, event: str, argument: object) -> Tracer:
        if event in ("line", "return"):
            self._note(frame if event == "line" else frame.f_back)
        return self._passed

    def _note(self, frame: FrameType | None) -> None:
        self._ring.publish()
        frames = [
            place_of(one.f_code, one.f_lineno)
            for one, _ in zip(self._own.frames(frame), range(_MAX_PLACES), strict=False)
        ]
        self._place.write(json.dumps(frames).encode())
