"""One execution: a scenario goes in, its trace and a verdict come out. Start reading here.

    fuzz bytes --scenario.codec--> Scenario --Target.run--> Trace --oracle.judge--> Verdict

The executor knows neither processes nor files. `campaign` feeds it with fuzz input, `cli` with
artifacts. A harness error passes through as an exception: it is never a verdict.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vblkfuzz.oracle.judge import judge

if TYPE_CHECKING:
    from vblkfuzz.oracle.verdict import Verdict
    from vblkfuzz.scenario.scenario import Scenario
    from vblkfuzz.targets.target import Target
    from vblkfuzz.trace.trace import Trace


@dataclass(frozen=True, slots=True)
class Execution:
    """What came out of one execution."""

    scenario: Scenario
    trace: Trace
    verdict: Verdict


def run_scenario(target: Target, scenario: Scenario) -> Execution:
    """Run a scenario on a started target and judge its trace.

    Raises:
        HarnessError: there is no whole trace, so no verdict.
    """
    trace = target.run(scenario)
    return Execution(scenario, trace, judge(scenario, trace))
