"""Every schedule within the bound is run: none is left out, and none repeats another."""

from __future__ import annotations

from itertools import combinations, product
from pathlib import Path

import pytest

from vblkfuzz.executor import run_scenario
from vblkfuzz.explore.deviations import explore
from vblkfuzz.explore.explored import Explored
from vblkfuzz.explore.search import Visit
from vblkfuzz.scenario.artifact import read_input
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.op import Op, op
from vblkfuzz.scenario.scenario import Deviation, Go, Scenario
from vblkfuzz.targets.model import model
from vblkfuzz.targets.target import Target
from vblkfuzz.trace.trace import Trace

KICK, DRAIN, END = op("publish_kick"), op("drain_begin"), op("drain_end")
INIT, RESET, STOP = op("init"), op("reset"), op("stop")
REGRESS = sorted(
    (Path(__file__).resolve().parent.parent.parent / "corpus" / "regress").glob("*/scenario.toml")
)
BUG = Scenario(ops=(INIT, DRAIN, KICK, RESET))


def order(trace: Trace) -> tuple[tuple[int, ...], ...]:
    """Return the events without the numbers of turns: a deviation may split a turn in two."""
    return tuple(event[1:] for event in trace.events)


def brute_force(
    target: Target, scenario: Scenario, most: int, first: int = 0
) -> set[tuple[tuple[int, ...], ...]]:
    """Run every schedule of `most` deviations at operations from `first` on, at any point reached.

    Return the orders of events.
    """
    reach = max(run_scenario(target, scenario).trace.points[first:]) + 3
    places = product(range(first, len(scenario.ops)), range(reach))
    met: set[tuple[tuple[int, ...], ...]] = set()
    for chosen in combinations(places, most):
        for goes in product(Go, repeat=most):
            schedule = tuple(Deviation(*at, go) for at, go in zip(chosen, goes, strict=True))
            ran = target.run(Scenario(scenario.device, scenario.ops, schedule))
            met.add(order(ran))
    return met


@pytest.mark.parametrize(
    ("ops", "config"),
    [
        ((INIT, KICK, RESET), DeviceConfig()),
        ((INIT, DRAIN, KICK, STOP), DeviceConfig(iothreads=0)),
        ((INIT, KICK, END), DeviceConfig(queues=2, iothreads=2, polling=True)),
    ],
)
@pytest.mark.parametrize("device", ["patch-v4", "reference"])
def test_one_deviation_is_every_one(device: str, ops: tuple[Op, ...], config: DeviceConfig) -> None:
    scenario = Scenario(config, ops)
    with model(device, "inline") as target:
        met = {order(visit.execution.trace) for visit in explore(target, scenario, 1)}
        assert met >= brute_force(target, scenario, 1)


@pytest.mark.parametrize(
    ("ops", "config"),
    [
        ((INIT, KICK, DRAIN), DeviceConfig()),
        ((INIT, RESET, op("snapshot")), DeviceConfig(iothreads=0)),
    ],
)
def test_two_deviations_are_every_pair(ops: tuple[Op, ...], config: DeviceConfig) -> None:
    scenario = Scenario(config, ops)
    with model("reference", "inline") as target:
        met = {order(visit.execution.trace) for visit in explore(target, scenario, 2)}
        pairs = brute_force(target, scenario, 2, first=1)
        assert met >= pairs
        assert not {order(visit.execution.trace) for visit in explore(target, scenario, 1)} >= pairs


def test_fewest_deviations_come_first_and_are_counted() -> None:
    with model("patch-v4", "inline") as target:
        visits = list(explore(target, Scenario(ops=(INIT, KICK)), 2))
    assert [visit.deviations for visit in visits] == sorted(visit.deviations for visit in visits)
    for count in range(3):
        level = [visit for visit in visits if visit.deviations == count]
        assert [visit.number for visit in level] == list(range(1, len(level) + 1))
        assert {visit.of for visit in level} == {len(level)}
    schedules = [visit.execution.scenario.schedule for visit in visits]
    assert len(set(schedules)) == len(schedules)


def test_only_schedules_that_were_obeyed_are_extended() -> None:
    scenario = Scenario(DeviceConfig(polling=True), (INIT, KICK, KICK))
    with model("reference", "inline") as target:
        visits = list(explore(target, scenario, 2))
    by_schedule = {visit.execution.scenario.schedule: visit.execution for visit in visits}
    pairs = [schedule for schedule in by_schedule if len(schedule) == 2]
    assert all(by_schedule[pair[:1]].trace.obeyed == (True,) for pair in pairs)
    assert any(one.op == two.op and one.point + 1 == two.point for one, two in pairs)


@pytest.mark.parametrize("iothreads", [0, 1, 2])
def test_deviations_go_to_each_actor_of_the_device(iothreads: int) -> None:
    scenario = Scenario(DeviceConfig(iothreads=iothreads), (INIT,))
    with model("reference", "inline") as target:
        schedules = [visit.execution.scenario.schedule for visit in explore(target, scenario, 1)]
    assert {one.go for schedule in schedules for one in schedule} == {
        *(Go.GUEST, Go.VCPU, Go.MAIN, Go.NEXT),
        *(Go.IO0, Go.IO1)[:iothreads],
    }


def test_the_schedule_of_the_input_does_not_matter() -> None:
    with model("patch-v4", "inline") as target:
        late = Scenario(ops=BUG.ops, schedule=(Deviation(2, 1, Go.NEXT, delayed=True),))
        first, *_ = explore(target, late, 1)
    assert first.execution.scenario == BUG


def test_without_operations_there_is_one_schedule() -> None:
    with model("reference", "inline") as target:
        assert len(list(explore(target, Scenario(), 8))) == 1


def test_a_bug_is_saved_where_it_needs_fewest_deviations(tmp_path: Path) -> None:
    """A drain must begin between pop and submit of a handler."""
    scenario = Scenario(ops=(INIT, KICK, DRAIN))
    with model("qemu-10.2", "inline") as target:
        explored = Explored(target, tmp_path / "findings", {"s3-": "why"})
        explored.folder.mkdir()
        found = [each for visit in explore(target, scenario, 2) for each in explored.add(visit)]
    s3 = explored.findings["s3-popped"]
    assert (len(s3.where), s3.known, s3.fallback) == (1, "why", "")
    kept = read_input(f"{s3.path}/finding.vblk")
    assert len(kept.scenario.schedule) == 1
    assert len(found) == len(explored.findings) == len(list(explored.folder.iterdir()))


@pytest.mark.parametrize("scenario", REGRESS[::4], ids=lambda path: path.parent.name)
def test_no_switch_at_any_moment_breaks_the_reference(scenario: Path) -> None:
    with model("reference", "inline") as target:
        visits: list[Visit] = list(explore(target, read_input(str(scenario)).scenario, 1))
    assert [one for visit in visits for one in visit.execution.verdict.violations] == []
    assert len(visits) > len(visits[0].execution.scenario.ops)
