"""A finding keeps the places at which its run held threads."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import places, scenarios
from vblkfuzz.scenario.codec import decode, encode
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.place import Place
from vblkfuzz.scenario.scenario import Deviation, Go, Role, Scenario
from vblkfuzz.trace.placed import placed
from vblkfuzz.trace.trace import Trace

POP, PUSH = Place("virtqueue_pop"), Place("virtqueue_push")


def test_places_are_filled_in_where_they_are_missing() -> None:
    common = Deviation(0, 0, Go.NEXT)
    met = Deviation(0, 1, Go.NEXT, role=Role.MAIN)
    unmet = Deviation(0, 2, Go.NEXT, role=Role.MAIN)
    known = Deviation(0, 3, Go.NEXT, role=Role.MAIN, place=POP)
    scenario = Scenario(ops=(op("kick"),), schedule=(common, met, unmet, known))
    found = placed(scenario, Trace((), places=(PUSH, PUSH, None, PUSH)))
    assert found.schedule == (
        common,
        Deviation(0, 1, Go.NEXT, role=Role.MAIN, place=PUSH),
        unmet,
        known,
    )
    assert found.ops == scenario.ops


@given(scenarios(max_ops=3), st.data())
def test_the_result_can_be_stored(scenario: Scenario, data: st.DataObject) -> None:
    met = data.draw(st.tuples(*[st.none() | places() for _ in scenario.schedule]))
    found = placed(scenario, Trace((), places=met))
    assert decode(encode(found)) == found
    assert [one.where for one in found.schedule] == [one.where for one in scenario.schedule]


def test_a_target_that_holds_no_threads_changes_nothing() -> None:
    scenario = Scenario(schedule=(Deviation(0, 1, Go.NEXT, role=Role.MAIN),))
    assert placed(scenario, Trace(())) is scenario
