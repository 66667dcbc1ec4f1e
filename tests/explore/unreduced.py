"""What a story shows under all schedules within a bound, and under those that are left."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vblkfuzz.explore.branches import Branches, Schedule
from vblkfuzz.explore.deviations import explore
from vblkfuzz.explore.dpor import history
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.model_modes import InlineModel
from vblkfuzz.trace.event import ActorId

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from vblkfuzz.explore.stories import Story
    from vblkfuzz.process.execution import MakeTurnstile
    from vblkfuzz.trace.event import Event
    from vblkfuzz.trace.trace import Trace

Outcome = tuple[tuple[int, ...], ...]


class Shown(NamedTuple):
    """What the schedules of a story have shown."""

    outcomes: frozenset[Outcome]
    """What the guest did and saw, in its order."""
    signatures: frozenset[str]
    runs: int

    def missing_in(self, other: Shown) -> tuple[int, frozenset[str]]:
        """Return how many outcomes, and which signatures, `other` does not have."""
        return len(self.outcomes - other.outcomes), self.signatures - other.signatures


NOTHING = (0, frozenset[str]())


def outcome(trace: Trace) -> Outcome:
    return tuple(event[1:] for event in trace.events if event.actor == ActorId.GUEST)


def unreduced(target: InlineModel, story: Story, most: int) -> Shown:
    """Run every schedule."""
    outcomes: set[Outcome] = set()
    signatures: set[str] = set()
    runs = 0
    for visit in explore(target, Scenario(ops=story), most):
        runs += 1
        outcomes.add(outcome(visit.execution.trace))
        signatures |= {one.signature for one in visit.execution.verdict.causes}
    return Shown(frozenset(outcomes), frozenset(signatures), runs)


class Recorded(InlineModel):
    """Notes what the executions of one story have shown, not those of its beginnings."""

    def record(self, operations: int) -> None:
        self.operations = operations
        self.outcomes: set[Outcome] = set()
        self.runs = 0

    def run_with(self, scenario: Scenario, make_turnstile: MakeTurnstile | None) -> Trace:
        trace = super().run_with(scenario, make_turnstile)
        self.runs += 1
        if len(scenario.ops) == self.operations:
            self.outcomes.add(outcome(trace))
        return trace


def reduced(
    target: InlineModel,
    story: Story,
    most: int,
    reduction: Callable[[Iterable[Event]], bytes] = history,
) -> Shown:
    """Run the schedules that are left."""
    with Recorded(target.device, target.arena, target.device_class) as recorded:
        recorded.record(len(story))
        branches = Branches(recorded, DeviceConfig(), most, reduction)
        starts: list[Schedule] = [()]
        for end in range(1, len(story)):
            starts = branches.explore(story[:end], starts, judged=False).onward
        found = branches.explore(story, starts, goes_on=False).findings
    return Shown(frozenset(recorded.outcomes), frozenset(found), recorded.runs)
