"""Cases of the model for tests of views and exports."""

from __future__ import annotations

from vblkfuzz.executor import Execution, run_scenario
from vblkfuzz.scenario.artifact import Artifact
from vblkfuzz.scenario.expectation import Expectation
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.model import model
from vblkfuzz.triage.case import Case
from vblkfuzz.triage.outcome import replay_input

RESET_IN_DRAIN = Scenario(
    ops=(
        op("init", how="ok"),
        op("drain_begin", wait="poll"),
        op("publish_kick", queue=0, request="out", sector=3),
        op("reset"),
    )
)
SIGNATURE = "s1-reset-stop-cleanup_host_notifier-host_notifier_read"
QUIET = Scenario(ops=(op("init", how="ok"), op("publish_kick", queue=0)))


def run(scenario: Scenario, device: str = "patch-v4") -> Execution:
    with model(device, "inline") as target:
        return run_scenario(target, scenario)


def case(
    scenario: Scenario = RESET_IN_DRAIN, device: str = "patch-v4", path: str = "x.vblk"
) -> Case:
    expected = Expectation("violation", "S1", SIGNATURE)
    artifact = Artifact(scenario, device=device, mode="inline", expectation=expected)
    with model(device, "inline") as target:
        return Case(replay_input(path, artifact, target, 1))
