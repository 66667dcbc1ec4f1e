"""What has happened since the last look, in the rings of an execution that still runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.trace.event import Event
    from vblkfuzz.trace.ring import TraceRing


class Lookout:
    """Reads the events of all rings, each event once."""

    def __init__(self, rings: Sequence[TraceRing]) -> None:
        self._rings = rings
        self._read = [0] * len(rings)

    def new(self) -> list[Event]:
        """Return the events since the last call, those of one ring after those of another."""
        found: list[Event] = []
        for at, ring in enumerate(self._rings):
            events = ring.after(self._read[at])
            self._read[at] += len(events)
            found += events
        return found
