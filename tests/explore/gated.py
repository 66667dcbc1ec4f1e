"""A target of a few threads behind a gate that is not there: it counts points, as one would."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from tests.targets.without_processes import WithoutProcesses
from vblkfuzz.errors import DeviceLost
from vblkfuzz.scenario.scenario import Deviation, Place, Role, Scenario
from vblkfuzz.trace.event import ActorId, Event
from vblkfuzz.trace.kinds import END, HANG
from vblkfuzz.trace.trace import Trace
from vblkfuzz.trace.witness import Witness

LIGHT = {(0, Role.MAIN): 2, (1, Role.IO0): 1, (3, Role.MAIN): 3, (3, Role.IO0): 2}
"""Points of each thread in each operation; nothing happens in operation 2."""
LOCKS = {(1, Role.IO0): 5, (3, Role.MAIN): 40, (3, Role.IO0): 3}
"""The same, locks included."""
OPS = 4


class Threads(WithoutProcesses):
    """Hangs where it is told to."""

    name = "threads"
    no_gate = ""

    def __init__(self) -> None:
        self.ran: list[tuple[Deviation, ...]] = []
        """All schedules, in order."""
        self.hangs: set[Deviation] = set()
        """A schedule with one of them hangs."""
        self.rare: Counter[Deviation] = Counter()
        """A schedule with one of them hangs in so many runs, then no more."""
        self.lost: set[Deviation] = set()
        """A schedule with one of them cannot be judged."""
        self.unmet: set[Deviation] = set()
        """Deviations that are not met although they might be."""
        self.versions = {"threads": "1.0"}

    def run(self, scenario: Scenario) -> Trace:
        schedule = tuple(replace(each, place=None) for each in scenario.schedule)
        self.ran.append(schedule)
        if self.lost.intersection(schedule):
            raise DeviceLost("it is gone")
        kind = HANG if self._hangs(schedule) else END
        counts = Counter(LIGHT)
        stops = tuple(tuple(counts[op, role] for role in Role) for op in range(OPS))
        places = tuple(Place("event") if self._is_met(each) else None for each in schedule)
        return Trace(
            (Event(0, kind, ActorId.MAIN),), places=places, stops=stops, witnesses=Witness.PROCESS
        )

    def _hangs(self, schedule: tuple[Deviation, ...]) -> bool:
        rare = [each for each in schedule if self.rare[each]]
        self.rare.subtract(rare)
        return bool(rare or self.hangs.intersection(schedule))

    def _is_met(self, deviation: Deviation) -> bool:
        counts = LOCKS if deviation.locks else LIGHT
        count = counts.get((deviation.op, deviation.role), 0)
        return deviation.point < count and deviation not in self.unmet
