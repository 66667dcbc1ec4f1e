"""A race on a real device that shows each time: what shows by chance is no smaller form of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from tests.cli.conftest import BUG
from vblkfuzz.executor import Execution, run_scenario
from vblkfuzz.minimize import reproduce
from vblkfuzz.minimize.on_target import Asked, MinimizedInput, minimize_input
from vblkfuzz.oracle.verdict import Verdict
from vblkfuzz.scenario.scenario import Deviation, Go, Place, Role, Scenario
from vblkfuzz.targets.model import model
from vblkfuzz.targets.target import Target

PLACE = Place("virtio_set_status")
NEEDED = Deviation(1, 0, Go.IO0, role=Role.MAIN, place=PLACE)
LEFT = Deviation(0, 0, Go.IO0, role=Role.MAIN, place=PLACE)
INPUT = replace(BUG, schedule=(LEFT, NEEDED))


class Chance:
    """Runs of a real device: each scenario shows the bug at first, without `NEEDED` not always."""

    def __init__(self, shown: Execution, every: int = 0) -> None:
        self._shown, self._every = shown, every
        self.runs: Counter[Scenario] = Counter()

    def __call__(self, target: Target, scenario: Scenario) -> Execution:
        self.runs[scenario] += 1
        number, steady = self.runs[scenario], any(one.place for one in scenario.schedule)
        shows = number % 4 if steady and self._every else number == 1 or steady
        trace = replace(self._shown.trace, places=tuple(one.place for one in scenario.schedule))
        verdict = self._shown.verdict if shows else Verdict(())
        return Execution(scenario, trace, verdict)


def minimized(monkeypatch: pytest.MonkeyPatch, runs: int = 1, every: int = 0) -> MinimizedInput:
    with model("patch-v4", "inline") as target:
        chance = Chance(run_scenario(target, BUG), every)
        monkeypatch.setattr(reproduce, "run_scenario", chance)
        return minimize_input(INPUT, None, Asked(target, runs=runs))


def test_the_deviation_that_makes_it_reliable_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    found = minimized(monkeypatch).minimized.scenario
    assert len(found.schedule) == 1
    assert found.schedule[0].place == PLACE
    assert len(found.ops) == 1


@pytest.mark.parametrize(("runs", "every"), [(2, 0), (1, 4)])
def test_an_input_that_shows_now_and_then(
    runs: int, every: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing smaller has to show it more often than the input does."""
    assert minimized(monkeypatch, runs, every).minimized.scenario.schedule == ()
