"""Deviations that count the points of one actor."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.schedule.test_turnstile import Play
from vblkfuzz.scenario.artifact import read_input
from vblkfuzz.scenario.place import Place
from vblkfuzz.scenario.scenario import Deviation, Go, Role, Scenario
from vblkfuzz.schedule.turnstile import Turnstile
from vblkfuzz.targets.model import model
from vblkfuzz.trace.event import ActorId
from vblkfuzz.trace.schedule_kinds import STORES_DELAYED
from vblkfuzz.trace.trace import Trace

CORPUS = Path(__file__).resolve().parents[2] / "corpus" / "defects"
PLAIN = ["main 2", "io0 5", "io1 5"]


def story(ops: list[str], *schedule: Deviation) -> Play:
    """A play whose schedule may have roles."""
    found = Play(ops)
    scenario = replace(found.scenario, schedule=tuple(sorted(schedule)))
    found.turnstile = Turnstile(scenario, found.world, found.guest, found.ring)
    return found


def play(*schedule: Deviation) -> Play:
    """Main loop and IOThreads have work; the operation needs the main loop first."""
    found = story(["stop"], *schedule)
    found.world.io0.work.append(5)
    found.world.io1.work.append(5)
    return found


def of(role: Role, point: int, go: Go) -> Deviation:
    return Deviation(0, point, go, role=role)


def test_before_its_first_point_is_point_0() -> None:
    found = play(of(Role.IO0, 0, Go.IO1))
    assert found.run() == ["main 2", "io1 5", "io0 5"]
    assert found.turnstile.obeyed == [True]
    assert found.turnstile.overtaken == [(1, ActorId.IO0)]


@pytest.mark.parametrize("point", [1, 2, 3, 4])
def test_the_points_of_others_do_not_count(point: int) -> None:
    found, common = play(of(Role.IO0, point, Go.IO1)), play(Deviation(0, 2 + point, Go.IO1))
    assert found.run() == ["main 2", f"io0 {point}", "io1 5", f"io0 {5 - point}"] == common.run()
    assert found.turnstile.obeyed == common.turnstile.obeyed == [True]
    assert found.turnstile.overtaken == common.turnstile.overtaken == [(2, ActorId.IO0)]


def test_the_next_operation_starts_where_the_actor_is() -> None:
    found = story(["stop", "kick"], of(Role.IO0, 2, Go.NEXT))
    found.world.io0.work.append(5)
    assert found.run() == ["main 2", "io0 2", "guest 3", "io0 3"]
    assert found.turnstile.points == [4, 6]


@pytest.mark.parametrize(
    "deviation",
    [
        of(Role.IO0, 2, Go.IO0),
        of(Role.IO0, 2, Go.VCPU),
        of(Role.IO0, 5, Go.IO1),
        of(Role.VCPU, 0, Go.IO1),
        of(Role.MONITOR, 0, Go.IO1),
        of(Role.WORKER, 0, Go.NEXT),
    ],
    ids=["itself", "not ready", "not reached", "no work", "no monitor", "no worker"],
)
def test_one_without_effect_is_ignored(deviation: Deviation) -> None:
    found = play(deviation)
    found.run()
    turns = "".join(found.log).replace("io0 2io0 3", "io0 5")
    assert turns == "".join(PLAIN)
    assert True not in found.turnstile.obeyed


def test_one_without_effect_gives_no_one_else_a_turn() -> None:
    """Also if an actor that comes first has got work in the meantime."""
    found = play(of(Role.IO1, 2, Go.GUEST))
    resume = found.world.io1.resume

    def waking(budget: int, turn: int) -> int:
        if not found.world.main.work:
            found.world.main.work.append(1)
        return resume(budget, turn)

    found.world.io1.resume = waking  # type: ignore[method-assign]  # a device that wakes another
    assert found.run() == ["main 2", "io0 5", "io1 2", "io1 3", "main 1"]


def test_who_goes_on_instead_may_have_a_deviation_too() -> None:
    found = play(of(Role.MAIN, 0, Go.IO0), of(Role.IO0, 0, Go.IO1), of(Role.IO0, 2, Go.IO1))
    assert found.run() == ["io1 5", "main 2", "io0 2", "io0 3"]
    assert found.turnstile.obeyed == [True, True, False]
    assert found.turnstile.overtaken == [(0, ActorId.MAIN), (0, ActorId.IO0)]


def test_beside_one_that_counts_all_points() -> None:
    found = play(Deviation(0, 1, Go.IO1), of(Role.IO1, 3, Go.IO0))
    assert found.run() == ["main 1", "io1 3", "io0 5", "main 1", "io1 2"]
    assert found.turnstile.obeyed == [True, True]


def test_each_operation_counts_anew() -> None:
    found = story(["stop", "stop"], Deviation(1, 1, Go.IO0, role=Role.MAIN))
    found.world.main.on_end = lambda: found.world.io0.work.append(1)
    assert found.run() == ["main 2", "io0 1", "main 1", "main 1", "io0 1"]
    assert found.turnstile.obeyed == [False]


@given(st.integers(0, 6), st.sampled_from(Go), st.sampled_from([role for role in Role if role]))
def test_locks_and_place_mean_nothing_on_the_model(point: int, go: Go, role: Role) -> None:
    one = of(role, point, go)
    there = replace(one, locks=True, place=Place("qemu_mutex_lock", "util/async.c:717"))
    assert play(one).run() == play(there).run()


# --- On the model -----------------------------------------------------------------------------


def stored(name: str) -> tuple[Scenario, str]:
    artifact = read_input(CORPUS / name / "scenario.toml")
    return artifact.scenario, artifact.device


def same_of_a_role(scenario: Scenario, device: str) -> Iterator[tuple[Role, Trace, Trace]]:
    """Yield, for each role, two traces: of the scenario, and one with its deviation of that role.

    The second is the first that is the same, else the last.
    """
    (common,) = scenario.schedule
    with model(device, "inline") as target:
        expected = target.run(scenario)
        for role in (Role.GUEST, Role.VCPU, Role.MAIN, Role.IO0):
            for point in range(40):
                own = replace(common, point=point, role=role)
                found = target.run(replace(scenario, schedule=(own,)))
                if found.digest == expected.digest:
                    break
            yield role, expected, found


@pytest.mark.parametrize("name", ["no_barrier_at_poll_end", "no_barrier_before_recheck"])
def test_the_actor_that_is_interrupted_can_be_named(name: str) -> None:
    """Its own count gives the same trace, delayed stores included; that of no other actor does."""
    scenario, device = stored(name)
    same = {
        role
        for role, expected, found in same_of_a_role(scenario, device)
        if expected.digest == found.digest
    }
    with model(device, "inline") as target:
        trace = target.run(scenario)
    ((_, who),) = trace.overtaken
    assert same == {Role[ActorId(who).name]}
    assert STORES_DELAYED in {event.kind for event in trace.events}
