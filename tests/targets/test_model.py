"""The model as a target, in both modes and all revisions."""

from __future__ import annotations

import os

import pytest

from tests.conformance.target import Make, TargetContract
from tests.process.faulty import FATAL, Floods
from vblkfuzz.dataplane.revisions import REVISIONS
from vblkfuzz.errors import UsageError
from vblkfuzz.executor import run_scenario
from vblkfuzz.limits import MAX_OPS
from vblkfuzz.process.arena import Arena
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.model import MODES, model
from vblkfuzz.targets.registry import open_target


@pytest.mark.parametrize("mode", MODES)
class TestModel(TargetContract):
    target_name = "model"

    @pytest.fixture(params=REVISIONS)
    def make(self, mode: str, request: pytest.FixtureRequest) -> Make:
        return lambda: open_target(self.target_name, request.param, mode)

    @pytest.fixture
    def failing(self, mode: str) -> tuple[Make, Scenario]:
        return lambda: model("floods", mode, device_class=Floods), FATAL

    def test_targets_in_turn_can_share_an_arena(self, mode: str) -> None:
        arena = Arena()
        digests = set()
        for _ in range(3):
            with model("patch-v4", mode, arena) as target:
                digests.add(target.run(FATAL).digest)
        assert len(digests) == 1


def test_it_runs_on_one_core_and_gives_the_others_back() -> None:
    before = os.sched_getaffinity(0)
    with model("patch-v4", "processes"):
        assert len(os.sched_getaffinity(0)) == 1
    assert os.sched_getaffinity(0) == before


def test_all_that_a_scenario_can_begin_is_ended() -> None:
    begun = (op("hold"), *[op("drain_begin")] * (MAX_OPS - 3))
    with model("reference", "inline") as target:
        execution = run_scenario(target, Scenario(ops=(op("init"), *begun, op("stop"))))
    assert execution.verdict.clean


@pytest.mark.parametrize(
    ("device", "mode", "problem"),
    [("patch-v4", "free", "mode free: expected"), ("none", "inline", "device none: expected")],
)
def test_what_there_is_not(device: str, mode: str, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        model(device, mode)
