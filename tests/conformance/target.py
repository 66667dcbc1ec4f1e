"""What every target must keep, whatever device is behind it.

A target's own test module subclasses `TargetContract`, names the target as its entry point
does, and overrides the fixtures:

    class TestMyTarget(TargetContract):
        target_name = "mine"

        @pytest.fixture
        def make(self): return lambda: open_target(self.target_name, "device", "mode")
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

import pytest

from tests.conformance.inputs import biggest, delaying, every_operation, fuzz_inputs
from tests.conformance.leftovers import nothing_left, shared_files
from vblkfuzz.errors import HarnessError
from vblkfuzz.executor import run_scenario
from vblkfuzz.scenario.alphabet.ops import OPS
from vblkfuzz.scenario.alphabet.spec import AT_REST, OpSpec
from vblkfuzz.scenario.codec import decode
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.op import Op, op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.registry import TARGETS
from vblkfuzz.targets.target import Target
from vblkfuzz.trace.kinds import END, OP
from vblkfuzz.trace.probe import EPILOGUE
from vblkfuzz.trace.schedule_kinds import STORES_DELAYED, STORES_SEEN

Make: TypeAlias = Callable[[], Target]

SMALL = every_operation(DeviceConfig())
LEFT_OPEN = [spec for spec in OPS if spec.sets & ~AT_REST]
"""Operations that something has to end."""
LARGE = every_operation(DeviceConfig(queues=4, iothreads=2, polling=True, indirect=True))


class TargetContract:
    """Tests that any target passes."""

    target_name: str
    """As its entry point names it: `test_target_kinds` fails for one without a suite."""

    def steady(self, scenario: Scenario) -> Scenario:
        """Return a scenario without what lets the clock decide on this device."""
        return scenario

    def seen(self, target: Target, scenario: Scenario) -> object:
        """Run a scenario; return what has to be the same each time."""
        return target.run(scenario).digest

    @pytest.fixture
    def make(self) -> Make:
        """Return what makes a target that is not started yet."""
        raise NotImplementedError  # the suite of each target has its own

    @pytest.fixture
    def failing(self) -> tuple[Make, Scenario]:
        """Return what makes a target, and a scenario whose run raises a HarnessError there."""
        raise NotImplementedError  # the suite of each target has its own

    @pytest.fixture
    def target(self, make: Make) -> Iterator[Target]:
        with nothing_left(), make() as target:
            yield target
            assert shared_files() == set()

    def test_it_says_what_it_is(self, target: Target) -> None:
        assert target.name
        assert target.device
        assert target.mode

    def test_the_first_and_the_hundredth_run_are_equal(self, target: Target) -> None:
        found = {self.seen(target, LARGE) for _ in range(100)}
        assert len(found) == 1

    def test_no_state_leaks_into_the_next_run(self, make: Make) -> None:
        made = [SMALL, LARGE, delaying(), biggest(), *map(decode, fuzz_inputs(11, 20))]
        scenarios = list(map(self.steady, made))
        fresh = []
        for scenario in scenarios:
            with make() as target:
                fresh.append(self.seen(target, scenario))
        with make() as target:
            forth = [self.seen(target, scenario) for scenario in scenarios]
            back = [self.seen(target, scenario) for scenario in reversed(scenarios)]
        assert forth == fresh
        assert back == fresh[::-1]

    def test_different_scenarios_have_different_traces(self, target: Target) -> None:
        assert target.run(SMALL).digest != target.run(LARGE).digest

    def test_nothing_to_do_is_a_whole_run(self, target: Target) -> None:
        trace = target.run(Scenario())
        assert trace.events[-1].kind == END

    def test_the_biggest_scenario(self, target: Target) -> None:
        trace = target.run(biggest())
        kinds = [event.kind for event in trace.events]
        assert kinds[-1] == END
        assert kinds.count(OP) >= len(biggest().ops)

    @pytest.mark.parametrize("spec", LEFT_OPEN, ids=lambda spec: spec.name)
    def test_the_epilogue_ends_what_an_operation_begins(self, target: Target, spec: OpSpec) -> None:
        if spec.name in TARGETS.find(self.target_name).without:
            pytest.skip(f"{self.target_name} has no {spec.name}")
        events = target.run(Scenario(ops=(op("init"), Op(spec.code)))).events
        added = [
            OPS[each.flag].name for each in events if each.kind == OP and each.head == EPILOGUE
        ]
        assert [name for name in added if name != "collect"] == [spec.end], (
            f"alphabet/{spec.owner}.py: {spec.name}: expected {spec.end} in the epilogue; add it "
            "to `unfinished` of the target, or its bit to AT_REST of alphabet/spec.py"
        )

    def test_turns_never_go_back(self, target: Target) -> None:
        for scenario in (LARGE, delaying()):
            turns = [event.turn for event in target.run(scenario).events]
            assert turns == sorted(turns)

    def test_delayed_stores_are_seen_in_the_end(self, target: Target) -> None:
        """A target that cannot delay stores may ignore the wish."""
        trace = target.run(delaying())
        kinds = [event.kind for event in trace.events]
        assert kinds[-1] == END
        assert kinds.count(STORES_DELAYED) == kinds.count(STORES_SEEN)

    def test_its_traces_can_be_judged(self, target: Target) -> None:
        for scenario in (SMALL, LARGE, biggest(), Scenario()):
            assert run_scenario(target, scenario).trace.events

    def test_it_is_usable_after_an_error(self, failing: tuple[Make, Scenario]) -> None:
        make, scenario = failing
        with nothing_left(), make() as target:
            right = self.seen(target, LARGE)
            for _ in range(3):
                with pytest.raises(HarnessError):
                    target.run(scenario)
                assert self.seen(target, LARGE) == right

    def test_it_can_be_started_again(self, make: Make) -> None:
        with nothing_left():
            target = make()
            found = []
            for _ in range(3):
                with target:
                    found.append(self.seen(target, LARGE))
            assert len(set(found)) == 1

    def test_an_exception_of_the_user_ends_it_too(self, make: Make) -> None:
        with nothing_left(), pytest.raises(ZeroDivisionError), make() as target:
            target.run(SMALL)
            raise ZeroDivisionError
