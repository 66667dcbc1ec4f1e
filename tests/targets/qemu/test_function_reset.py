"""A reset of the PCI function (FLR) of a real QEMU: the same as one by the status, another way."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.targets.qemu.binary import EACH_QEMU
from vblkfuzz.executor import Execution, run_scenario
from vblkfuzz.scenario.device import DeviceConfig, Kind
from vblkfuzz.scenario.op import Op, op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.options import TargetOptions
from vblkfuzz.targets.qemu import pci_port
from vblkfuzz.targets.qemu.rings_at_zero import QemuTarget
from vblkfuzz.targets.qemu.target import qemu_target
from vblkfuzz.targets.qemu.variant import variant_of
from vblkfuzz.trace.kinds import STATUS_READ
from vblkfuzz.trace.probe import without_probe

pytestmark = pytest.mark.realdevice

INIT, FUNCTION, REPLUG = op("init"), op("reset", way="function"), op("replug")
WRITE = op("publish_kick", request="out", sector=3)
SERVED = (INIT, WRITE, op("collect"))


@pytest.fixture(scope="module", params=EACH_QEMU)
def binary(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def target(binary: str) -> Iterator[QemuTarget]:
    options = TargetOptions(qemu_binary=binary)
    with qemu_target("virtio-blk-pci", "processes", options) as target:
        yield target


def run(target: QemuTarget, *ops: Op, kind: Kind = "blk", iothreads: int = 1) -> Execution:
    device = DeviceConfig(queue_size=16, kind=kind, iothreads=iothreads)
    return run_scenario(target, Scenario(device, ops))


def signatures(execution: Execution) -> set[str]:
    return {one.signature for one in execution.verdict.violations}


@pytest.mark.parametrize("kind", ["blk", "scsi"])
def test_it_resets_the_device(target: QemuTarget, kind: Kind) -> None:
    again = (FUNCTION, *SERVED)
    saved = (op("stop"), op("save"), op("restore"), *again)
    execution = run(target, *SERVED, *again, op("system_reset"), *again, *saved, kind=kind)
    events = without_probe(execution.trace.events)
    assert not any(event.value for event in events if event.kind == STATUS_READ and not event.head)
    assert not signatures(execution)


def test_a_device_behind_a_port_is_replugged(target: QemuTarget) -> None:
    execution = run(target, *SERVED, REPLUG, *SERVED, FUNCTION, REPLUG, *SERVED)
    assert not signatures(execution)


@pytest.mark.parametrize("iothreads", [0, 1])
def test_it_is_the_same_bug_in_a_section(target: QemuTarget, iothreads: int) -> None:
    inside = (INIT, op("drain_begin"), WRITE, FUNCTION, op("drain_end"))
    assert "s1-reset" in signatures(run(target, *inside, iothreads=iothreads))
    assert not signatures(run(target, INIT, WRITE, FUNCTION, iothreads=iothreads))


def test_one_that_resets_nothing_is_found(binary: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pci_port, "_FUNCTION_RESET", 0)
    with qemu_target("virtio-blk-pci", "processes", TargetOptions(qemu_binary=binary)) as target:
        assert signatures(run(target, INIT, FUNCTION))


def test_only_it_needs_pci_express() -> None:
    buses = [
        variant_of(Scenario(DeviceConfig(), (INIT, reset)), TargetOptions()).bus
        for reset in (op("reset"), FUNCTION)
    ]
    assert buses == ["pci", "express"]
