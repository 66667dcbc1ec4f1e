"""Replug of a real QEMU: device_del, the guest's ejection, device_add."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest

from tests.targets.outcomes import but_spins
from vblkfuzz.errors import HarnessError
from vblkfuzz.executor import Execution, run_scenario
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.op import Op, op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.qemu.hotplug import argument, eject, properties
from vblkfuzz.targets.qemu.rings_at_zero import QemuTarget
from vblkfuzz.targets.qemu.variant import Bus, Variant
from vblkfuzz.targets.qmp import Qmp
from vblkfuzz.trace.kinds import CRASH, HANG, POP, PUSH, RESET_RET, SECTOR
from vblkfuzz.trace.probe import without_probe

INIT, COLLECT = op("init"), op("collect")
WRITE, READ = op("publish_kick", request="out"), op("publish_kick", request="in")
DEVICE, WITH_GEOMETRY = op("replug"), op("replug", part="connection")
BEGIN, END = op("drain_begin"), op("drain_end")


def run(target: QemuTarget, *ops: Op, **device: Any) -> Execution:  # noqa: ANN401 -- fields
    return run_scenario(target, Scenario(DeviceConfig(**device), ops))


def count(execution: Execution, kind: int) -> int:
    return [event.kind for event in without_probe(execution.trace.events)].count(kind)


def signatures(execution: Execution) -> list[str]:
    return [one.signature for one in execution.verdict.violations]


@pytest.mark.realdevice
class TestQemu:
    @pytest.mark.parametrize("plug", [DEVICE, WITH_GEOMETRY], ids=["device", "geometry"])
    @pytest.mark.parametrize("iothreads", [0, 1])
    @pytest.mark.parametrize("ioeventfd", [False, True])
    def test_the_next_driver_reads_what_the_last_one_wrote(
        self, each_qemu: QemuTarget, plug: Op, iothreads: int, ioeventfd: bool
    ) -> None:
        ops = INIT, WRITE, plug, INIT, READ, COLLECT, plug
        execution = run(each_qemu, *ops, iothreads=iothreads, ioeventfd=ioeventfd)
        assert not but_spins(execution.verdict)
        assert count(execution, POP) == count(execution, PUSH) == 2
        events = without_probe(execution.trace.events)
        (sector,) = [event for event in events if event.kind == SECTOR]
        assert sector.value == 1

    def test_a_stopped_vm(self, each_qemu: QemuTarget) -> None:
        execution = run(each_qemu, INIT, op("stop"), DEVICE, op("cont"), INIT, WRITE)
        assert not but_spins(execution.verdict)
        assert count(execution, PUSH) == 1

    def test_the_device_of_a_saved_vm_stays(self, each_qemu: QemuTarget) -> None:
        execution = run(each_qemu, INIT, op("save"), DEVICE, op("restore"), WRITE)
        assert not but_spins(execution.verdict)
        assert count(execution, RESET_RET) == 0
        assert count(execution, PUSH) == 1

    @pytest.mark.parametrize("iothreads", [0, 1])
    def test_a_device_with_a_geometry_comes_within_a_section(
        self, each_qemu: QemuTarget, iothreads: int
    ) -> None:
        ops = INIT, BEGIN, WITH_GEOMETRY, INIT, WRITE, END, COLLECT
        execution = run(each_qemu, *ops, iothreads=iothreads)
        assert not but_spins(execution.verdict)
        assert count(execution, PUSH) == 1

    def test_a_device_without_one_reads_the_disk_that_is_drained(
        self, each_qemu: QemuTarget
    ) -> None:
        assert count(run(each_qemu, INIT, BEGIN, DEVICE), HANG) == 1

    @pytest.mark.parametrize("iothreads", [0, 1])
    @pytest.mark.parametrize("ioeventfd", [False, True])
    def test_a_parked_request_finds_no_device(
        self, each_qemu: QemuTarget, ioeventfd: bool, iothreads: int
    ) -> None:
        """Where the use after free ends the process is chance; the name says the cause."""
        ops = INIT, BEGIN, WRITE, DEVICE
        execution = run(each_qemu, *ops, iothreads=iothreads, ioeventfd=ioeventfd)
        assert ("s1-replug" in signatures(execution)) is ioeventfd
        assert "crash-unplug-parked" in signatures(execution)
        assert count(execution, CRASH) == 1


def test_the_device_of_the_command_line_has_the_same_properties() -> None:
    variant = Variant(iothreads=1, ioeventfd=False)
    words = argument(variant, ["n1"]).removeprefix("-device virtio-blk-pci,").split(",")
    (device,) = properties(variant, ["n1"])
    assert len(words) == len(device) - 1
    assert {"drive=n1", "iothread=io0", "ioeventfd=off"} <= set(words)
    (device,) = properties(Variant(iothreads=0, ioeventfd=True), "n0")
    assert "iothread" not in device


def test_several_iothreads_are_named_in_json() -> None:
    variant = Variant(iothreads=2, ioeventfd=True, kind="scsi")
    words = argument(variant, ["n0"]).split()
    assert words[::2] == ["-device"] * 2
    controller, disk = map(json.loads, words[1::2])
    assert controller["iothread-vq-mapping"] == [{"iothread": "io0"}, {"iothread": "io1"}]
    assert (controller["driver"], disk["driver"]) == ("virtio-scsi-pci", "scsi-hd")


def test_a_disk_of_virtio_scsi_is_a_device_of_its_own() -> None:
    variant = Variant(iothreads=1, ioeventfd=True, kind="scsi")
    controller, disk = properties(variant, ["n1"])
    assert controller["iothread"] == "io0"
    assert disk["drive"] == "n1"
    assert [one.split(",")[0] for one in argument(variant, ["n1"]).split()[1::2]] == [
        "virtio-scsi-pci",
        "scsi-hd",
    ]


@pytest.mark.parametrize("bus", ["pci", "express"])
def test_a_monitor_that_refuses_the_ejection_is_a_fault_of_the_harness(bus: Bus) -> None:
    class Monitor:
        async def call(self, command: str, **arguments: object) -> object:
            return {"device_del": {}}.get(command, "unknown command: 'o'")

    variant = Variant(iothreads=1, ioeventfd=True, bus=bus)
    work = eject(cast("Qmp", Monitor()), variant)
    with pytest.raises(HarnessError, match="unknown command"):
        while True:
            work.send(None)
