"""The differential check: a guest observes the same on the model and behind a front-end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.conformance.inputs import fuzz_inputs
from tests.targets.qemu.binary import NEEDS_QEMU
from tests.targets.qemu.test_agreement import visible
from vblkfuzz.executor import run_scenario
from vblkfuzz.scenario.alphabet.ops import OPS
from vblkfuzz.scenario.codec import decode
from vblkfuzz.scenario.device import Ring
from vblkfuzz.scenario.op import Op, op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.model import model
from vblkfuzz.targets.options import TargetOptions
from vblkfuzz.targets.qemu.rings_at_zero import QemuTarget
from vblkfuzz.targets.vhost_user_frontend.target import DEVICE, frontend_target
from vblkfuzz.trace.kinds import COLLECT, DRIVER_INIT, SECTOR
from vblkfuzz.trace.trace import Trace

pytestmark = [pytest.mark.realdevice, NEEDS_QEMU]

WITHOUT = {
    "hostile": "each device decides how much of a broken ring it takes",
    "publish_again": "as hostile",
    "inband_kick": "virtio-blk-pci has one way to kick",
    "queue_reset": "vhost-user-blk does not offer it",
}
"""Operations of the guest on which the two are known to differ, and why."""
KEPT = {spec.name for spec in OPS if spec.owner == "guest"} - set(WITHOUT) | {"system_reset"}
RECONNECT = op("replug", part="connection")


@pytest.fixture(scope="module")
def frontend() -> Iterator[QemuTarget]:
    with frontend_target(DEVICE, "processes", TargetOptions()) as target:
        yield target


def comparable(scenario: Scenario, ring: Ring = "split") -> Scenario:
    """Leave out operations that differ; end with a collect on each queue."""
    device = replace(
        scenario.device,
        polling=False,
        ioeventfd=True,
        iothreads=1,
        first_index=0,
        werror="report",
        rerror="report",
        kind="blk",
        ring=ring,
    )
    looks = tuple(op("collect", queue=queue) for queue in range(device.queues))
    kept = (one for one in scenario.ops if one.name in KEPT)
    # QEMU starts a vhost device with DRIVER_OK, not with a kick before it.
    whole = (one._replace(a=0) if one.name == "init" else one for one in kept)
    return Scenario(device, (*whole, *looks))


def check(scenario: Scenario, frontend: QemuTarget) -> Trace:
    with model("reference", "inline") as reference:
        expected = reference.run(scenario)
    execution = run_scenario(frontend, scenario)
    assert not execution.verdict.violations, scenario
    assert visible(execution.trace) == visible(expected), scenario
    return execution.trace


@pytest.mark.parametrize("ring", ["split", "packed"])
def test_on_200_scenarios(frontend: QemuTarget, ring: Ring) -> None:
    kinds: Counter[int] = Counter()
    packed = 0
    for data in fuzz_inputs(41, 200):
        trace = check(comparable(decode(data), ring), frontend)
        kinds.update(event.kind for event in trace.events)
        packed += sum(event.length for event in trace.events if event.kind == DRIVER_INIT)
    assert kinds[COLLECT] > 100, "else nothing was compared"
    assert kinds[SECTOR] > 10
    assert packed > 100 if ring == "packed" else not packed


def reconnecting(ops: tuple[Op, ...]) -> tuple[Op, ...]:
    """Let another back-end take over after each operation that follows a whole set-up."""
    found: list[Op] = []
    works = False
    for one in ops:
        found.append(one)
        if one.name in ("init", "reset", "system_reset"):
            works = one == op("init")
        if works:
            found.append(RECONNECT)
    return tuple(found)


@pytest.mark.parametrize("ring", ["split", "packed"])
def test_a_guest_does_not_notice_another_back_end(frontend: QemuTarget, ring: Ring) -> None:
    for data in fuzz_inputs(43, 60):
        plain = comparable(decode(data), ring)
        trace = run_scenario(frontend, plain).trace
        other = run_scenario(frontend, replace(plain, ops=reconnecting(plain.ops)))
        assert not other.verdict.violations, plain
        assert [one for one in visible(other.trace)[0] if one] == visible(trace)[0], plain
