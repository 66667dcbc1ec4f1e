"""Missing barriers are found if the schedule delays stores, and only then."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from tests.conformance.inputs import fuzz_inputs
from tests.pure_build import pure_build
from vblkfuzz.dataplane.defects.barriers import FAMILY
from vblkfuzz.oracle.judge import judge
from vblkfuzz.scenario.codec import decode
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Deviation, Go, Scenario
from vblkfuzz.scenario.text import from_text
from vblkfuzz.targets.model import MODES, model
from vblkfuzz.targets.target import Target
from vblkfuzz.trace.schedule_kinds import STORES_DELAYED
from vblkfuzz.virtio.memory import no_barrier
from vblkfuzz.virtio.split.driver_queue import DriverQueue

CORPUS = Path(__file__).resolve().parents[2] / "corpus" / "defects"
NAMES = [defect.name for defect in FAMILY]


def story(name: str) -> Scenario:
    path = CORPUS / name / "scenario.toml"
    return from_text(path.read_text(), path.name)


def with_delays(scenario: Scenario, *, delayed: bool) -> Scenario:
    schedule = tuple(replace(each, delayed=delayed) for each in scenario.schedule)
    return replace(scenario, schedule=schedule)


def signatures(target: Target, scenario: Scenario) -> set[str]:
    return {each.signature for each in judge(scenario, target.run(scenario)).violations}


def around(scenario: Scenario, seed: int, count: int) -> list[Scenario]:
    """The same scenario with a deviation at any point."""
    random, made = Random(seed), []
    for _ in range(count):
        places = {(random.randrange(len(scenario.ops)), random.randrange(14)) for _ in range(3)}
        schedule = (
            Deviation(*place, random.choice((Go.NEXT, *Go)), delayed=True)
            for place in sorted(places)
        )
        made.append(replace(scenario, schedule=tuple(schedule)))
    return made


@pytest.mark.parametrize("name", NAMES)
def test_nothing_but_a_delay_finds_it(name: str) -> None:
    device = f"reference+{name}"
    inputs = [*map(decode, fuzz_inputs(21, 2000)), *around(story(name), 22, 2000)]
    with model(device, "inline") as target:
        for scenario in inputs:
            assert signatures(target, with_delays(scenario, delayed=False)) == set()


@pytest.mark.parametrize("name", NAMES)
def test_a_delay_at_any_moment_finds_it_soon(name: str) -> None:
    with model(f"reference+{name}", "inline") as target:
        found = [signatures(target, each) for each in around(story(name), 23, 1000)]
    assert sum(map(bool, found)) >= 3


def test_the_reference_has_every_barrier() -> None:
    inputs = [with_delays(decode(data), delayed=True) for data in fuzz_inputs(24, 2000)]
    inputs += [each for name in NAMES for each in around(story(name), 25, 1000)]
    delayed = 0
    with model("reference", "inline") as target:
        for scenario in inputs:
            trace = target.run(scenario)
            assert judge(scenario, trace).violations == ()
            delayed += any(event.kind == STORES_DELAYED for event in trace.events)
    assert delayed > 200


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("ordered", [True, pytest.param(False, marks=pure_build)])
def test_the_driver_has_its_barrier(
    mode: str, ordered: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The guest reads that kicks are suppressed while the device does not see its entry yet."""
    if not ordered:
        needs_kick = DriverQueue.needs_kick

        def unordered(queue: DriverQueue) -> bool:
            barrier, queue.memory.barrier = queue.memory.barrier, no_barrier
            wanted = needs_kick(queue)
            queue.memory.barrier = barrier
            return wanted

        monkeypatch.setattr(DriverQueue, "needs_kick", unordered)
    scenario = Scenario(
        ops=(op("init"), op("publish_kick"), op("publish_kick")),
        schedule=(Deviation(1, 6, Go.NEXT), Deviation(2, 3, Go.IO0, delayed=True)),
    )
    with model("reference", mode) as target:
        assert signatures(target, scenario) == (set() if ordered else {"l1-suppressed"})
        assert signatures(target, with_delays(scenario, delayed=False)) == set()
