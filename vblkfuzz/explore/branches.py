"""The schedules of one story, without those that lead where another one has led.

A schedule of a story of n operations is one of its first n-1 operations, continued by deviations in
the last one. So the search goes down the tree of stories, and takes with it one schedule for each
*boundary*: the state and the history with which the next operation would begin. Two schedules with
one boundary go on alike under every operation and deviation that follows; the one with the fewest
deviations is kept.

Left out, too, is a deviation to an actor that cannot go on, or that goes on anyway: the same
schedule without it, or with another actor, is run. At the end of the last operation of a story
`Go.NEXT` is one of those: nothing is left to start.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from vblkfuzz.explore.dpor import history
from vblkfuzz.explore.watched import Watch, WatchedTurnstile
from vblkfuzz.limits import MAX_POINT
from vblkfuzz.oracle.judge import judge
from vblkfuzz.scenario.scenario import Deviation, Go, Scenario

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from vblkfuzz.explore.stories import Story
    from vblkfuzz.scenario.device import DeviceConfig
    from vblkfuzz.targets.model_modes import InlineModel
    from vblkfuzz.trace.event import Event
    from vblkfuzz.trace.trace import Trace

Schedule = tuple[Deviation, ...]


@dataclass(slots=True)
class StoryResult:
    """What became of the schedules of one story."""

    schedules: int = 0
    """How many ran."""
    merged: int = 0
    """How many of them ended where another one had."""
    findings: dict[str, Schedule] = field(default_factory=dict)
    """By signature: the first schedule, one with the fewest deviations."""
    onward: list[Schedule] = field(default_factory=list)
    """Those to go on from, fewest deviations first."""


class Branches:
    """Explores stories on one target, each from where the story before it has led."""

    def __init__(
        self,
        target: InlineModel,
        device: DeviceConfig,
        most: int,
        reduced: Callable[[Iterable[Event]], bytes] = history,
    ) -> None:
        """Explore schedules of at most `most` deviations.

        Args:
            target: started.
            device: configuration of the device.
            most: largest number of deviations.
            reduced: what is equal for histories that no rule tells apart.
        """
        self._target, self._device, self._most = target, device, most
        self._reduced = reduced

    def explore(
        self, story: Story, starts: Iterable[Schedule], *, judged: bool = True, goes_on: bool = True
    ) -> StoryResult:
        """Run a story under every schedule that begins with one of `starts`.

        Args:
            story: at least one operation.
            starts: schedules of the story without its last operation.
            judged: whether findings are of interest.
            goes_on: whether longer stories will follow.

        Raises:
            HarnessError: a schedule could not be run.
        """
        explored = StoryResult()
        waiting: list[list[Schedule]] = [[] for _ in range(self._most + 1)]
        for start in starts:
            waiting[len(start)].append(start)
        boundaries = _Boundaries()
        judge_new = _OnceJudged(explored)
        for number, schedules in enumerate(waiting):
            for schedule in schedules:
                scenario = Scenario(self._device, story, schedule)
                watch = Watch(state=goes_on)
                trace = self._run(scenario, watch, choices=number < self._most)
                explored.schedules += 1
                if judged:
                    judge_new(scenario, trace)
                if goes_on:
                    if boundaries.add((watch.state, self._reduced(watch.events)), schedule):
                        explored.onward.append(schedule)
                    else:
                        explored.merged += 1
                if number < self._most:
                    waiting[number + 1] += _one_more(schedule, story, watch, nexts=goes_on)
        return explored

    def _run(self, scenario: Scenario, watch: Watch, *, choices: bool) -> Trace:
        watched = choices or watch.wants_state
        return self._target.run_with(
            scenario, partial(WatchedTurnstile, watch) if watched else None
        )


class _Boundaries:
    """The boundaries so far, each with the operations that are hurried by schedules that led there.

    Rules excuse what follows on a hurried operation, so a schedule may stand for one that hurries
    the same operations, or more.
    """

    def __init__(self) -> None:
        self._hurried: dict[tuple[bytes, bytes], list[frozenset[int]]] = {}

    def add(self, boundary: tuple[bytes, bytes], schedule: Schedule) -> bool:
        """Add a boundary; return whether no schedule stands for this one."""
        hurried = frozenset(each.op for each in schedule if each.hurries)
        known = self._hurried.setdefault(boundary, [])
        if any(each <= hurried for each in known):
            return False
        known.append(hurried)
        return True


class _OnceJudged:
    """Judges each order of events once."""

    def __init__(self, explored: StoryResult) -> None:
        self._findings = explored.findings
        self._seen: set[tuple[tuple[int, ...], ...]] = set()

    def __call__(self, scenario: Scenario, trace: Trace) -> None:
        """Note the findings of an execution."""
        order = tuple(event[1:] for event in trace.events)
        if order not in self._seen:
            self._seen.add(order)
            for violation in judge(scenario, trace).causes:
                self._findings.setdefault(violation.signature, scenario.schedule)


def _one_more(schedule: Schedule, story: Story, watch: Watch, *, nexts: bool) -> Iterator[Schedule]:
    """Yield the schedules with one deviation more in the last operation."""
    last = len(story) - 1
    first = schedule[-1].point + 1 if schedule and schedule[-1].op == last else 0
    for point, choice in sorted(watch.choices.items()):
        if not first <= point < MAX_POINT:
            continue
        for actor in choice.ready:
            if actor != choice.default:
                yield (*schedule, Deviation(last, point, Go(actor)))
        if nexts:
            yield (*schedule, Deviation(last, point, Go.NEXT))
