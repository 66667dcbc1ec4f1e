"""What every real target must keep, on top of `TargetContract`: 200 scenarios and more.

A target's own test module names the target and its rig; for example
tests/targets/qemu/test_conformance.py.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import pytest

from tests.conformance.inputs import fuzz_inputs
from tests.conformance.outline import difference, outline, races
from tests.conformance.target import LARGE, Make, TargetContract
from vblkfuzz.errors import HarnessError
from vblkfuzz.executor import run_scenario
from vblkfuzz.scenario.alphabet.ops import CODES
from vblkfuzz.scenario.codec import decode
from vblkfuzz.scenario.op import Op, op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.handover import Handover
from vblkfuzz.targets.options import TargetOptions
from vblkfuzz.targets.real import RealTarget
from vblkfuzz.targets.recorder import Recorder
from vblkfuzz.targets.registry import default_device, open_target
from vblkfuzz.targets.target import Target

POLL_ON = CODES["poll_on"]


class Failing:
    """For a rig: fails where a real device has nothing to do."""

    def perform(self, operation: Op, recorder: Recorder) -> Handover | None:
        if operation.name == "start_fail" and operation.a == 3:
            raise HarnessError("asked to fail")
        return super().perform(operation, recorder)  # type: ignore[misc, no-any-return]  # the rig's


class RealTargetContract(TargetContract):
    """Tests that any real target passes."""

    operator: type
    """Class with a method for each operation of operator, backend and environment; `object`: the
    target has none of them. `test_target_kinds` checks it."""
    elsewhere: Collection[str] = ()
    """Names of those that another part of the target carries out."""

    def factory(self, options: TargetOptions) -> Target:
        """Make the target, in the way that the command line does."""
        device = default_device(self.target_name)
        return open_target(self.target_name, device, RealTarget.mode, options)

    @staticmethod
    def failing_target() -> RealTarget:
        """Make one whose rig is a `Failing`."""
        raise NotImplementedError  # the suite of each target has its own

    def seen(self, target: Target, scenario: Scenario) -> object:
        """Only the verdict counts if an IOThread polls: what it sees first is up to the clock.

        So is when a request writes that outlives its reset (S24), and whether a device that polls
        in a drained section ever answers again (HANG). Which requests a device still ends that has
        broken itself (S25) is up to its threads.
        """
        execution = run_scenario(target, replace(scenario, schedule=()))
        polls = scenario.device.polling or any(one.code == POLL_ON for one in scenario.ops)
        seen = outline(execution)
        if "s25-added" in seen.signatures:
            return tuple(one for one in seen.signatures if one.startswith("s1-"))
        if not polls:
            return seen
        return tuple(one for one in seen.signatures if not one.startswith(("s24-", "hang-")))

    @pytest.fixture
    def make(self) -> Make:
        return lambda: self.factory(TargetOptions())

    @pytest.fixture
    def failing(self) -> tuple[Make, Scenario]:
        return self.failing_target, Scenario(ops=(op("init"), op("start_fail", queue=3)))

    def test_200_scenarios_forth_and_back(self, make: Make) -> None:
        """What is seen depends on the scenario alone, not on those before it."""
        scenarios = [self.steady(decode(data)) for data in fuzz_inputs(23, 200)]
        with make() as target:
            forth = [self.seen(target, scenario) for scenario in scenarios]
            back = [self.seen(target, scenario) for scenario in scenarios[::-1]]
        differing = [
            difference(index, scenario, *pair)
            for index, (scenario, *pair) in enumerate(
                zip(scenarios, forth, back[::-1], strict=True)
            )
            if pair[0] != pair[1] and not races(*pair)
        ]
        assert not differing, "\n".join(differing)

    @pytest.mark.parametrize("iothread", [True, False])
    def test_with_and_without_iothread(self, iothread: bool) -> None:
        with self.factory(TargetOptions(iothread=iothread)) as target:
            assert target.run(LARGE).events
