"""Search on threads that are interrupted one by one: each point once, the likely ones first."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby

import pytest

from tests.explore.gated import LIGHT, LOCKS, OPS, Threads
from vblkfuzz.errors import DeviceLost, UsageError
from vblkfuzz.explore.at_gate import PLAIN_RUNS, AtGate, goes_of
from vblkfuzz.explore.choice import search_for
from vblkfuzz.explore.deviations import EveryPoint
from vblkfuzz.explore.search import Visit, visits
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Deviation, Go, Role, Scenario
from vblkfuzz.targets.model import model

SCENARIO = Scenario(ops=(op("init"),) * OPS)
LEVELS = ["plain", "1 deviation", "counting locks", "1 deviation at a lock"]
PAIRS = ["2 deviations, same op", "2 deviations, next op"]
GOES = {Role.MAIN: (Go.IO0, Go.NEXT), Role.IO0: (Go.MAIN, Go.NEXT)}


def explored(target: Threads, most: int, *ops: int) -> list[Visit]:
    return list(visits(target, SCENARIO, AtGate(most, ops)))


def of(found: list[Visit], level: str) -> list[tuple[Deviation, ...]]:
    return [schedule_of(visit) for visit in found if visit.level == level]


def schedule_of(visit: Visit) -> tuple[Deviation, ...]:
    """Without the places, which the executor has filled in."""
    return tuple(replace(each, place=None) for each in visit.execution.scenario.schedule)


def numbers(schedule: tuple[Deviation, ...]) -> list[tuple[int, int, Role, Go]]:
    return [(each.op, each.point, each.role, each.go) for each in schedule]


def test_the_levels_come_in_order() -> None:
    found = explored(Threads(), 2)
    assert [level for level, _ in groupby(visit.level for visit in found)] == LEVELS + PAIRS
    for level in (*LEVELS[:2], LEVELS[3], *PAIRS):
        inside = [visit for visit in found if visit.level == level]
        assert [visit.number for visit in inside] == list(range(1, len(inside) + 1))
        assert {visit.of for visit in inside} == {len(inside)}
    counting = [visit for visit in found if visit.level == LEVELS[2]]
    assert len(counting) <= counting[0].of


@pytest.mark.parametrize(("most", "levels"), [(0, LEVELS[:1]), (1, LEVELS)])
def test_no_more_deviations_than_asked_for(most: int, levels: list[str]) -> None:
    found = explored(Threads(), most)
    assert [level for level, _ in groupby(visit.level for visit in found)] == levels
    assert max(visit.deviations for visit in found) == most
    assert of(found, "plain") == [()] * PLAIN_RUNS


def test_one_deviation_is_every_light_point() -> None:
    wanted = [
        [(where, point, role, go)]
        for (where, role), count in LIGHT.items()
        for point in range(count)
        for go in GOES[role]
    ]
    found = [numbers(schedule) for schedule in of(explored(Threads(), 1), LEVELS[1])]
    assert sorted(found) == sorted(wanted)


def test_operations_with_two_busy_threads_come_first() -> None:
    found = of(explored(Threads(), 1), LEVELS[1])
    assert [where for where, _ in groupby(each.op for (each,) in found)] == [3, 0, 1]


def test_every_point_at_a_lock_is_found_without_a_count() -> None:
    wanted = [
        [(where, point, role, go)]
        for (where, role), count in LOCKS.items()
        for point in range(count)
        for go in GOES[role]
    ]
    found = of(explored(Threads(), 1), LEVELS[3])
    assert sorted(map(numbers, found)) == sorted(wanted)
    assert all(each.locks for (each,) in found)


def test_pairs_are_those_of_one_operation_and_of_the_next_busy_one() -> None:
    found = explored(Threads(), 2)
    same, apart = (
        [tuple(each.op for each in pair) for pair in of(found, level)] for level in PAIRS
    )
    assert set(same) == {(0, 0), (3, 3)}  # in 1, one thread passes one point
    assert set(apart) == {(0, 1), (1, 3)}  # nothing happens in 2
    pairs = [frozenset(pair) for level in PAIRS for pair in of(found, level)]
    assert len(pairs) == len(set(pairs))
    assert len(same) == 4 + 4 * 10  # two points of main; five points of two threads


def test_a_schedule_that_was_not_met_is_not_extended() -> None:
    target = Threads()
    unmet = Deviation(3, 0, Go.IO0, role=Role.MAIN)
    target.unmet.add(unmet)
    found = explored(target, 2)
    assert (unmet,) in of(found, LEVELS[1])
    assert not any(pair[0] == unmet for level in PAIRS for pair in of(found, level))
    assert any(pair[0] == unmet for pair in of(explored(Threads(), 2), PAIRS[0]))


def test_a_schedule_that_hangs_is_not_extended() -> None:
    target = Threads()
    hang = Deviation(3, 0, Go.IO0, role=Role.MAIN)
    target.hangs.add(hang)
    found = explored(target, 2)
    assert not any(pair[0] == hang for level in PAIRS for pair in of(found, level))
    assert any(pair[0] == hang for pair in of(explored(Threads(), 2), PAIRS[0]))


def test_a_hang_counts_as_met_among_locks() -> None:
    target = Threads()
    probes = of(explored(Threads(), 1), LEVELS[2])
    target.hangs |= {each for (each,) in probes}
    assert of(explored(target, 1), LEVELS[3]) == of(explored(Threads(), 1), LEVELS[3])


def test_chosen_operations_only() -> None:
    found = explored(Threads(), 2, 1, 3)
    schedules = [schedule_of(visit) for visit in found]
    assert {each.op for schedule in schedules for each in schedule} == {1, 3}
    assert of(found, PAIRS[1])


def test_only_threads_that_pass_points_go_first() -> None:
    one = ((0, 3, 0, 0, 0, 0, 0, 0), ())
    assert goes_of(one) == {Role.MAIN: (Go.NEXT,)}
    worker = ((0, 3, 1, 0, 0, 0, 0, 1),)
    assert goes_of(worker)[Role.WORKER] == (Go.MAIN, Go.IO0, Go.NEXT)


def test_a_schedule_without_a_verdict_does_not_end_the_search() -> None:
    target = Threads()
    lost = Deviation(3, 1, Go.IO0, role=Role.MAIN)
    target.lost.add(lost)
    failed: list[tuple[Deviation, ...]] = []
    found = list(
        visits(target, SCENARIO, AtGate(1), (), lambda schedule, _: failed.append(schedule))
    )
    assert failed == [(lost,)]
    assert len(found) == len(target.ran) - 1 == len(explored(Threads(), 1)) - 1
    with pytest.raises(DeviceLost):
        list(visits(target, SCENARIO, AtGate(1)))


@pytest.mark.parametrize("stopped", [0, 1, 20, 150])
def test_what_was_learnt_is_not_run_again(stopped: int) -> None:
    """The rest is what would have followed."""
    whole = Threads()
    learnt = [visit.learnt for visit in explored(whole, 2)]
    assert stopped < len(learnt)
    rest = Threads()
    list(visits(rest, SCENARIO, AtGate(2), learnt[:stopped]))
    assert rest.ran == whole.ran[stopped:]


def test_the_search_fits_the_target() -> None:
    target = Threads()
    assert isinstance(search_for(target, SCENARIO, 1, ()), AtGate)
    assert isinstance(search_for(model("reference", "inline"), SCENARIO, 1, ()), EveryPoint)
    target.no_gate = "it has one thread"
    with pytest.raises(UsageError, match="target threads: it has one thread"):
        search_for(target, SCENARIO, 1, ())
