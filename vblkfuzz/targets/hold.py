"""What a schedule did to a thread of a real device: it held it, or let it go on."""

from __future__ import annotations

from typing import NamedTuple


class Hold(NamedTuple):
    """One of both; the fields are those of the event (`trace.schedule_kinds`)."""

    kind: int
    """HELD or GOES_ON."""
    actor: int
    """The thread, an `ActorId`."""
    number: int
    """Index of the deviation in the schedule."""
    point: int
    go: int

    @property
    def fields(self) -> dict[str, int]:
        """Return the fields of the event that differ from one to another."""
        return {"head": self.number, "value": self.point, "flag": self.go}
