"""What the failure says if two runs of a scenario differ."""

from __future__ import annotations

from tests.conformance.outline import Outline, difference
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.kinds import POP, PUSH

SCENARIO = Scenario(ops=(op("init"), op("publish_kick", request="out")))


def test_it_names_the_scenario_and_the_events_that_one_run_has() -> None:
    forth = Outline((), ((4, POP, 0, 0, 1), (5, PUSH, 0, 0, 1)))
    back = Outline(("s1-reset",), ((4, POP, 0, 0, 1), (6, PUSH, 0, 0, 1)))
    said = difference(81, SCENARIO, forth, back)
    assert said.startswith("scenario 81 differs\n")
    assert "publish_kick" in said
    alone, _, other = said.partition("only back:")
    assert "only forth:\n  act 5: push queue=0 flag=0 epoch=1\n" in alone
    assert other == "\n  signature s1-reset\n  act 6: push queue=0 flag=0 epoch=1"


def test_signatures_alone() -> None:
    said = difference(3, SCENARIO, (), ("l1-lost",))
    assert said.endswith("only forth:\nonly back:\n  signature l1-lost")
