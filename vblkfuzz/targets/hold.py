"""What a schedule did to a thread of a real device: it held it, or let it go on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from vblkfuzz.scenario.scenario import Role
from vblkfuzz.trace.event import ActorId
from vblkfuzz.trace.schedule_kinds import GOES_ON, HELD

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.targets.dequeue import Dequeue

_NOTE: Final = re.compile(rb"0@0:gate (held|goes_on) (\d+) (\d+) (\d+) (\d+)\n")
"""A line of `gate.note`."""


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


def hold_of(what: bytes, *fields: bytes) -> Hold:
    """Return what a line of the gate says: index, role, `go` and point follow the word."""
    index, role, go, point = map(int, fields)
    kind = HELD if what == b"held" else GOES_ON
    return Hold(kind, ActorId[Role(role).name], index, point, go)


class Holds:
    """What a schedule did to the threads of one process since it was asked last."""

    def __init__(self) -> None:
        self._new: list[Hold] = []

    def feed(self, thread: int, text: bytes) -> None:
        """Note a line of the gate (`gate.Gate`); called in its thread."""
        if found := _NOTE.fullmatch(text):
            self._new.append(hold_of(*found.groups()))

    def take(self) -> list[Hold]:
        """Return what is new."""
        found = self._new[:]
        del self._new[: len(found)]
        return found


def in_order(holds: Sequence[Hold], dequeues: Sequence[Dequeue]) -> list[Dequeue | Hold]:
    """Return both as one list, of a device that only tells how many dequeues there were.

    A thread that goes on dequeues after that, and before another one is held.
    """
    first = next((place for place, one in enumerate(holds) if one.kind == HELD), len(holds))
    return [*holds[:first], *dequeues, *holds[first:]]
