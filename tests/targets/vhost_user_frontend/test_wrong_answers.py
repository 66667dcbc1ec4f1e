"""What QEMU does when the back-end answers late or wrongly, or has another capacity."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.targets.qemu.binary import NEEDS_QEMU
from tests.targets.qemu.test_agreement import visible
from vblkfuzz.executor import Execution, run_scenario
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.op import Op, op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.as_run import with_decided, without_effect
from vblkfuzz.targets.options import TargetOptions
from vblkfuzz.targets.qemu.rings_at_zero import QemuTarget
from vblkfuzz.targets.vhost_user_frontend.target import DEVICE, frontend_target
from vblkfuzz.trace.kinds import COLLECT as COLLECTED
from vblkfuzz.trace.kinds import PUBLISH
from vblkfuzz.trace.vhost_kinds import VHOST_ANSWER, VHOST_CONNECTION
from vblkfuzz.trace.witness import Witness

pytestmark = [pytest.mark.realdevice, NEEDS_QEMU]

INIT, RESET, COLLECT = op("init"), op("reset"), op("collect")
READ = op("publish_kick", request="in")
SERVES = (READ, COLLECT, RESET, INIT, READ, COLLECT)
STORIES = {
    "queue_num": (op("save"), op("restore")),
    "inflight": (RESET, INIT),
    "mem_table": (RESET, INIT),
    "vring_base": (op("hold"), READ, op("stop"), op("cont"), op("release")),
    "any": (READ, RESET, INIT),
}
"""By message: where it is sent."""


@pytest.fixture(scope="module")
def frontend() -> Iterator[QemuTarget]:
    with frontend_target(DEVICE, "processes", TargetOptions()) as target:
        yield target


def run(target: QemuTarget, *ops: Op) -> Execution:
    return run_scenario(target, Scenario(ops=ops))


def answer(message: str, how: str) -> Op:
    return op("answer", message=message, how=how)


@pytest.mark.parametrize("message", STORIES)
def test_a_late_answer_is_none_too_late(frontend: QemuTarget, message: str) -> None:
    story = (*STORIES[message], *SERVES)
    late = run(frontend, INIT, answer(message, "late"), *story)
    assert not late.verdict.violations
    assert any(event.kind == VHOST_ANSWER for event in late.trace.events)
    right = run(frontend, INIT, answer(message, "right"), *story)
    assert visible(late.trace) == visible(right.trace)


@pytest.mark.parametrize("how", ["error", "number", "huge", "cut"])
def test_a_refused_memory_table_is_one_failed_start(frontend: QemuTarget, how: str) -> None:
    found = run(frontend, answer("mem_table", how), INIT, *SERVES)
    assert not found.verdict.violations
    assert sum(event.kind == VHOST_CONNECTION for event in found.trace.events) >= 2
    assert found.trace.witnesses & Witness.REST, "the next connection is judged as any other"


def test_what_cannot_be_known_to_be_wrong_is_believed(frontend: QemuTarget) -> None:
    found = run(frontend, INIT, READ, answer("vring_base", "more"), RESET, *SERVES)
    assert not found.trace.witnesses & Witness.REST
    assert found.trace.witnesses & Witness.PROCESS


def test_an_area_of_the_other_form_of_rings_is_not_read(frontend: QemuTarget) -> None:
    """A wrong answer can make a front-end keep the area of split rings for packed ones."""
    ops = op("init", how="no_features"), answer("inflight", "more"), op("stop"), INIT, op("cont")
    scenario = Scenario(DeviceConfig(ring="packed", queues=2, queue_size=4), (*ops, READ, COLLECT))
    found = run_scenario(frontend, scenario)
    assert not found.verdict.violations
    kinds = [event.kind for event in found.trace.events]
    assert kinds.count(COLLECTED) == kinds.count(PUBLISH) > 0


def test_a_driver_is_told_of_another_capacity(frontend: QemuTarget) -> None:
    found = run(frontend, INIT, op("resize", sectors=7), op("read_config"), READ, COLLECT)
    assert not found.verdict.violations
    assert {"front_end_config_change_told", "front_end_config_change_read"} <= set(
        found.verdict.situations
    )


def test_more_iothreads_are_said_to_have_no_effect(frontend: QemuTarget) -> None:
    asked = DeviceConfig(iothreads=2)
    ran = with_decided(frontend, Scenario(device=asked)).device
    assert list(without_effect(asked, ran)) == ["iothreads"]


def test_a_capacity_is_that_of_one_scenario(frontend: QemuTarget) -> None:
    run(frontend, INIT, op("resize", sectors=7))
    far = op("publish_kick", request="in", sector=60)
    assert not run(frontend, INIT, far, COLLECT, op("read_config")).verdict.violations
