"""One execution: runs a scenario and judges its trace. Start reading here.

    fuzz bytes --scenario.codec--> Scenario --Target.run--> Trace --oracle.judge--> Verdict

The executor depends neither on processes nor on files. `campaign` calls it with fuzz input, `cli`
with artifacts. A harness error passes through as an exception and is never a verdict.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from vblkfuzz.oracle.judge import judge
from vblkfuzz.targets.as_run import as_run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.oracle.verdict import Verdict
    from vblkfuzz.scenario.place import Place
    from vblkfuzz.scenario.scenario import Scenario
    from vblkfuzz.targets.target import Target
    from vblkfuzz.trace.trace import Trace


@dataclass(frozen=True, slots=True)
class Execution:
    """A scenario with the result of one execution."""

    scenario: Scenario
    """As it ran (`targets.as_run`), with the places at which its deviations held a thread: another
    build passes other points."""
    trace: Trace
    verdict: Verdict


def run_scenario(target: Target, scenario: Scenario) -> Execution:
    """Run a scenario on a started target and judge its trace.

    Raises:
        HarnessError: the trace is missing or incomplete, so there is no verdict.
    """
    scenario = as_run(target, scenario)
    trace = target.run(scenario)
    return Execution(_placed(scenario, trace.places), trace, judge(scenario, trace))


def _placed(scenario: Scenario, places: Sequence[Place | None]) -> Scenario:
    if not any(places):
        return scenario
    met = zip(scenario.schedule, places, strict=True)
    schedule = [replace(one, place=place) if place else one for one, place in met]
    return replace(scenario, schedule=tuple(schedule))
