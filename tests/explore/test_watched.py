"""Watching changes nothing, and sees who could go on."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from vblkfuzz.explore.watched import Watch, WatchedTurnstile
from vblkfuzz.scenario.artifact import read_input
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Deviation, Go, Scenario
from vblkfuzz.targets.model import model
from vblkfuzz.targets.model_modes import InlineModel
from vblkfuzz.trace.event import ActorId
from vblkfuzz.trace.trace import Trace

REGRESS = Path(__file__).resolve().parent.parent.parent / "corpus" / "regress"
INIT, KICK = op("init"), op("publish_kick")


def watched(target: InlineModel, scenario: Scenario, *, state: bool = True) -> tuple[Watch, Trace]:
    watch = Watch(state=state)
    return watch, target.run_with(scenario, partial(WatchedTurnstile, watch))


@pytest.mark.parametrize("path", sorted(REGRESS.glob("s1*/scenario.toml")), ids=str)
def test_the_trace_is_the_same(path: Path) -> None:
    artifact = read_input(str(path))
    with model(artifact.device, "inline") as target:
        assert isinstance(target, InlineModel)
        plain = target.run(artifact.scenario)
        watch, trace = watched(target, artifact.scenario)
    assert trace == plain
    assert len(watch.state) == 16
    assert list(watch.events) == list(plain.events[: len(watch.events)])


def test_a_kick_lets_the_iothread_go_on_beside_the_guest() -> None:
    with model("reference", "inline") as target:
        assert isinstance(target, InlineModel)
        watch, trace = watched(target, Scenario(ops=(INIT, KICK)), state=False)
    assert sorted(watch.choices) == list(range(len(watch.choices)))
    assert len(watch.choices) >= trace.points[1]
    assert watch.choices[0] == (ActorId.GUEST, (ActorId.GUEST,))
    assert {choice.default for choice in watch.choices.values()} == {ActorId.GUEST, ActorId.IO0}
    assert not watch.state


def test_an_actor_that_is_ready_obeys_and_another_one_does_not() -> None:
    story = (INIT, op("hold"), KICK, op("drain_begin"), op("release"))
    with model("reference", "inline") as target:
        assert isinstance(target, InlineModel)
        begun = Scenario(ops=story, schedule=(Deviation(3, 1, Go.NEXT),))
        watch, _ = watched(target, begun)
        for point, choice in watch.choices.items():
            for go in tuple(Go)[: Go.IO1]:
                schedule = Deviation(3, 1, Go.NEXT), Deviation(4, point, go)
                trace = target.run(Scenario(ops=story, schedule=schedule))
                if go in choice.ready and go != choice.default:
                    assert trace.obeyed == (True, True)
                elif go in choice.ready:
                    assert trace.obeyed[1:] in ((False,), (True,))
