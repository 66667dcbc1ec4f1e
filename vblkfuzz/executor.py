"""One execution: runs a scenario and judges its trace. Start reading here.

    fuzz bytes --scenario.codec--> Scenario --Target.run--> Trace --oracle.judge--> Verdict

The executor depends neither on processes nor on files. `campaign` calls it with fuzz input, `cli`
with artifacts. A harness error passes through as an exception and is never a verdict.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vblkfuzz.oracle.judge import judge
from vblkfuzz.targets.as_run import as_run

if TYPE_CHECKING:
    from vblkfuzz.oracle.verdict import Verdict
    from vblkfuzz.scenario.scenario import Scenario
    from vblkfuzz.targets.target import Target
    from vblkfuzz.trace.trace import Trace


@dataclass(frozen=True, slots=True)
class Execution:
    """A scenario with the result of one execution."""

    scenario: Scenario
    """As it ran (`targets.as_run`)."""
    trace: Trace
    verdict: Verdict


def run_scenario(target: Target, scenario: Scenario, ran: Trace | None = None) -> Execution:
    """Run a scenario on a started target and judge its trace.

    Args:
        target: started.
        scenario: what to run.
        ran: the trace, if it has just run there.

    Raises:
        HarnessError: the trace is missing or incomplete, so there is no verdict.
    """
    scenario = as_run(target, scenario)
    trace = ran or target.run(scenario)
    return Execution(scenario, trace, judge(scenario, trace))
