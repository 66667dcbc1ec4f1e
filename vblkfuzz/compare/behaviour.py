"""Compares what guests see on several devices: `compare --binaries`.

Each input runs once on each device, every operation settled before the next: how far a device gets
between two operations is up to its clock. Where the views differ, the input runs again on all
devices, and what differs in every run is kept (`compare.difference`).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from vblkfuzz.compare.difference import CONSTANT, differences
from vblkfuzz.compare.run import NotJudged, run_once
from vblkfuzz.compare.view import view_of
from vblkfuzz.errors import HarnessError
from vblkfuzz.scenario.codec import encode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.compare.difference import Difference
    from vblkfuzz.compare.inputs import Input
    from vblkfuzz.compare.view import View
    from vblkfuzz.scenario.scenario import Scenario
    from vblkfuzz.targets.target import Target


@dataclass(slots=True)
class Behaviour:
    """The comparison so far."""

    targets: Sequence[Target]
    repeat: int
    """Runs of a scenario on each device before a difference counts."""
    scenarios: int = 0
    """Scenarios compared: inputs without those that are the same when each operation settles."""
    found: dict[str, list[Difference]] = field(default_factory=dict)
    """By name of the input."""
    reports: dict[str, dict[int, str]] = field(default_factory=dict)
    """By name of the input and number of the device: what one said that crashed or hung."""
    not_judged: list[NotJudged] = field(default_factory=list)
    _seen: set[bytes] = field(default_factory=set)

    def add(self, given: Input) -> Scenario | None:
        """Compare one input; return its scenario if devices differ in it."""
        scenario = replace(given.scenario, schedule=())
        data = encode(scenario)
        if data in self._seen:
            return None
        self._seen.add(data)
        self.scenarios += 1
        differing = self._compare(given.name, scenario)
        if not differing:
            self.reports.pop(given.name, None)
            return None
        self.found[given.name] = differing
        return scenario

    def _compare(self, name: str, scenario: Scenario) -> list[Difference]:
        views: list[list[View]] = [[] for _ in self.targets]
        differing: list[Difference] = []
        for run in range(self.repeat):
            for side, result in enumerate(run_once(self.targets, scenario, first=run)):
                if isinstance(result, HarnessError):
                    self.not_judged.append(NotJudged(name, side, str(result)))
                    return []
                views[side].append(view_of(result))
                if result.trace.report:
                    self.reports.setdefault(name, {})[side] = result.trace.report
            differing = differences(views)
            if all(one.kind == CONSTANT for one in differing):
                break
        return differing
