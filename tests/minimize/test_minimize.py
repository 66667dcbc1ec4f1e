from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.minimize.minimizing import check_minimized
from tests.strategies import scenarios
from tests.triage.findings import findings
from vblkfuzz.errors import NotReproduced
from vblkfuzz.minimize.minimize import Progress, StopMinimizing, minimize
from vblkfuzz.minimize.weight import weight
from vblkfuzz.scenario.alphabet.ops import CODES
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.place import Place
from vblkfuzz.scenario.scenario import Deviation, Go, Role, Scenario
from vblkfuzz.targets.model import model

NOISE = (op("collect"), op("set_used_event", ahead=3), op("poll_on"), op("hold"), op("release"))


def names(scenario: Scenario) -> list[str]:
    return [each.name for each in scenario.ops]


@pytest.mark.parametrize("device", ["patch-v4", "qemu-10.2", "reference+nested_end_resumes"])
def test_findings(device: str) -> None:
    with model(device, "inline") as target:
        found = [check_minimized(target, each) for each in findings(target, 1, 10, 3000)]
    assert len(found) == 10
    assert max(len(each.scenario.ops) for each in found) <= 8
    assert max(len(each.scenario.schedule) for each in found) <= 2


@settings(max_examples=25)
@given(scenarios(max_ops=12), st.sets(st.sampled_from(sorted(CODES)), max_size=3))
def test_only_what_the_predicate_needs_remains(scenario: Scenario, wanted: set[str]) -> None:
    def interesting(candidate: Scenario) -> bool:
        return wanted <= set(names(candidate))

    if not interesting(scenario):
        with pytest.raises(NotReproduced):
            minimize(scenario, interesting)
        return
    found = minimize(scenario, interesting).scenario
    assert sorted(names(found)) == sorted(wanted)
    kept = DeviceConfig(kind=scenario.device.kind)
    assert (found.device, found.schedule) == (kept, ())
    assert all(not any(each[1:]) for each in found.ops)


@settings(max_examples=25)
@given(scenarios(max_ops=12), st.integers(0, 20))
def test_a_stopped_minimization_returns_the_best_so_far(scenario: Scenario, after: int) -> None:
    reports: list[Progress] = []

    def tell(progress: Progress) -> None:
        reports.append(progress)
        if len(reports) > after:
            raise StopMinimizing

    found = minimize(scenario, lambda candidate: len(candidate.ops) >= len(scenario.ops) // 2, tell)
    assert found.complete == (len(reports) <= after)
    assert found.scenario == (reports[-1].best if reports else scenario)
    best = [weight(progress.best) for progress in reports]
    assert best == sorted(best, reverse=True)
    assert [progress.tried for progress in reports] == list(range(1, len(reports) + 1))


def test_no_candidate_is_run_twice() -> None:
    run: list[Scenario] = []

    def interesting(candidate: Scenario) -> bool:
        run.append(candidate)
        return op("kick", queue=2) in candidate.ops and len(candidate.schedule) > 1

    schedule = tuple(Deviation(5, at, Go.IO0) for at in range(5))
    found = minimize(Scenario(ops=(*NOISE, op("kick", queue=2)), schedule=schedule), interesting)
    assert len(run) == len(set(run)) == found.tried + 1
    assert names(found.scenario) == ["kick"]
    assert [(each.op, each.point) for each in found.scenario.schedule] == [(0, 0), (0, 1)]


@pytest.mark.parametrize(
    ("begin", "end"),
    [
        ("drain_begin", "drain_end"),
        ("mirror_begin", "mirror_finish"),
        ("stop", "cont"),
        ("hold", "release"),
        ("poll_on", "poll_off"),
        ("publish", "kick"),
        ("reset", "init"),
    ],
)
def test_a_begin_goes_with_its_end(begin: str, end: str) -> None:
    """Neither can be dropped alone, and there are too many operations to try any two."""

    def interesting(candidate: Scenario) -> bool:
        left = names(candidate)
        return left.count(begin) == left.count(end) and left.count("collect") >= 30

    middle = [op("collect")] * 30
    scenario = Scenario(ops=(op(begin), *middle[:15], op(end), *middle[15:]))
    assert names(minimize(scenario, interesting).scenario) == ["collect"] * 30


def test_any_two_that_only_go_together() -> None:
    def interesting(candidate: Scenario) -> bool:
        left = names(candidate)
        return ("snapshot" in left) == ("flush" in left) and "stop" in left

    scenario = Scenario(ops=(op("flush"), op("stop"), op("snapshot")))
    assert names(minimize(scenario, interesting).scenario) == ["stop"]


def test_a_deviation_stays_with_its_operation() -> None:
    wanted = op("drain_begin")

    def interesting(candidate: Scenario) -> bool:
        return any(
            each.go is Go.NEXT and candidate.ops[each.op] == wanted for each in candidate.schedule
        )

    schedule = (Deviation(1, 4, Go.MAIN), Deviation(5, 7, Go.NEXT), Deviation(6, 1, Go.NEXT))
    scenario = Scenario(ops=(*NOISE, wanted, *NOISE), schedule=schedule)
    assert minimize(scenario, interesting).scenario == Scenario(
        ops=(wanted,), schedule=(Deviation(0, 0, Go.NEXT),)
    )


def test_deviations_of_actors_are_dropped_first_and_keep_what_they_count() -> None:
    """A device that needs one deviation of the main loop, at a lock from point 70 on."""
    place = Place("qemu_mutex_lock", "util/async.c:717")

    def interesting(candidate: Scenario) -> bool:
        return any(
            (each.role, each.locks, each.go) == (Role.MAIN, True, Go.IO0) and each.point >= 70
            for each in candidate.schedule
        )

    wanted = Deviation(0, 70, Go.IO0, role=Role.MAIN, locks=True, place=place)
    schedule = (
        Deviation(0, 3, Go.NEXT),
        Deviation(0, 5, Go.NEXT, role=Role.IO0),
        wanted,
        Deviation(1, 70, Go.IO0, role=Role.IO0, locks=True, place=place),
    )
    scenario = Scenario(ops=(op("reset"), op("kick")), schedule=schedule)
    assert minimize(scenario, interesting).scenario.schedule == (wanted,)


def test_another_point_has_another_place() -> None:
    held = Deviation(0, 9, Go.IO0, role=Role.MAIN, locks=True, place=Place("virtqueue_pop"))

    def interesting(candidate: Scenario) -> bool:
        return any(each.place == held.place or each.point in (4, 5) for each in candidate.schedule)

    found = minimize(Scenario(ops=(op("reset"),), schedule=(held,)), interesting)
    assert found.scenario.schedule == (Deviation(0, 4, Go.NEXT, role=Role.MAIN, locks=True),)


@pytest.mark.parametrize("needed", [False, True])
def test_stores_are_delayed_only_if_needed(needed: bool) -> None:
    def interesting(candidate: Scenario) -> bool:
        return any(each.delayed or not needed for each in candidate.schedule)

    marks = (Deviation(0, 1, Go.NEXT, delayed=True), Deviation(1, 1, Go.NEXT, delayed=True))
    scenario = Scenario(ops=(op("stop"), op("cont")), schedule=marks)
    found = minimize(scenario, interesting).scenario
    assert [each.delayed for each in found.schedule] == [needed]


def test_another_order_is_preferred_to_a_deviation() -> None:
    def interesting(candidate: Scenario) -> bool:
        return bool(candidate.schedule) or names(candidate) == ["drain_begin", "publish_kick"]

    scenario = Scenario(
        ops=(op("publish_kick"), op("drain_begin")), schedule=(Deviation(0, 3, Go.NEXT),)
    )
    found = minimize(scenario, lambda each: interesting(each) and len(each.ops) == 2).scenario
    assert (names(found), found.schedule) == (["drain_begin", "publish_kick"], ())


def test_queues_change_together() -> None:
    def interesting(candidate: Scenario) -> bool:
        queues = {each.args["queue"] for each in candidate.ops}
        return len(candidate.ops) == 3 and len(queues) == 1

    scenario = Scenario(ops=(op("publish", queue=3), op("kick", queue=3), op("collect", queue=3)))
    found = minimize(scenario, interesting).scenario
    assert {each.args["queue"] for each in found.ops} == {0}


def test_a_publish_and_its_kick_are_one_operation() -> None:
    def interesting(candidate: Scenario) -> bool:
        joined = "".join(names(candidate))
        return "publish" in joined and "kick" in joined

    scenario = Scenario(ops=(op("publish", request="out"), op("kick")))
    assert minimize(scenario, interesting).scenario.ops == (op("publish_kick"),)


def test_the_device_ends_as_close_to_the_default_as_possible() -> None:
    def interesting(candidate: Scenario) -> bool:
        return candidate.device.queues >= 2 and not candidate.device.event_idx

    device = DeviceConfig(queues=4, event_idx=False, werror="stop", disk_sectors=8, polling=True)
    found = minimize(Scenario(device), interesting).scenario.device
    assert found == replace(DeviceConfig(), queues=2, event_idx=False)


def test_the_kind_of_the_device_stays() -> None:
    device = DeviceConfig(kind="scsi", queues=2)
    assert minimize(Scenario(device), lambda _: True).scenario.device == DeviceConfig(kind="scsi")


@pytest.mark.parametrize("name", ["system_reset", "power_loss", "queue_reset"])
def test_any_other_reset_becomes_the_guests(name: str) -> None:
    resets = {op(each).code for each in ("reset", "system_reset", "power_loss", "queue_reset")}

    def resets_once(scenario: Scenario) -> bool:
        return sum(each.code in resets for each in scenario.ops) == 1

    assert minimize(Scenario(ops=(op("init"), op(name))), resets_once).scenario.ops == (
        op("reset"),
    )
