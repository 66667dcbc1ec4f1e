from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import scenarios
from vblkfuzz.minimize.edit import (
    items_of,
    scenario_of,
    with_deviation,
    with_op_moved,
    without_deviations,
    without_ops,
)
from vblkfuzz.scenario.scenario import Deviation, Go, Role, Scenario


@given(scenarios())
def test_items_hold_all_but_deviations_without_an_operation(scenario: Scenario) -> None:
    again = scenario_of(scenario.device, items_of(scenario))
    real = tuple(each for each in scenario.schedule if each.op < len(scenario.ops))
    assert again == Scenario(scenario.device, scenario.ops, real)


@given(scenarios(), st.sets(st.integers(0, 63)))
def test_others_keep_their_deviations(scenario: Scenario, places: set[int]) -> None:
    kept = [item for place, item in enumerate(items_of(scenario)) if place not in places]
    assert items_of(without_ops(scenario, places)) == kept


@given(scenarios().filter(lambda scenario: len(scenario.ops) > 1), st.data())
def test_moved_there_and_back(scenario: Scenario, data: st.DataObject) -> None:
    place, to = (data.draw(st.integers(0, len(scenario.ops) - 1)) for _ in range(2))
    moved = with_op_moved(scenario, place, to)
    assert items_of(moved)[to] == items_of(scenario)[place]
    assert items_of(with_op_moved(moved, to, place)) == items_of(scenario)


@given(scenarios(), st.sets(st.integers(0, 7)))
def test_without_deviations(scenario: Scenario, places: set[int]) -> None:
    left = without_deviations(scenario, places).schedule
    assert [each for each in scenario.schedule if each in left] == list(left)
    assert len(left) == len([at for at in range(len(scenario.schedule)) if at not in places])


def test_one_deviation_a_point() -> None:
    one, other = Deviation(0, 1, Go.MAIN), Deviation(0, 2, Go.IO0)
    scenario = Scenario(schedule=(one, other))
    assert with_deviation(scenario, 1, Deviation(0, 1, Go.IO0)) is None
    found = with_deviation(scenario, 1, Deviation(0, 0, Go.IO0))
    assert found is not None
    assert found.schedule == (Deviation(0, 0, Go.IO0), one)


def test_a_point_is_that_of_one_actor() -> None:
    one = Deviation(0, 1, Go.MAIN, role=Role.IO0)
    scenario = Scenario(schedule=(Deviation(0, 1, Go.MAIN), one))
    with_locks = replace(one, locks=True)
    found = with_deviation(scenario, 0, with_locks)
    assert found is not None
    assert found.schedule == (one, with_locks)
    assert with_deviation(scenario, 0, replace(one, go=Go.IO1)) is None
