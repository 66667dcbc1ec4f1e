"""A real QEMU is saved and restored by an internal snapshot: the process and its sections go on."""

from __future__ import annotations

from typing import cast

import pytest

from tests.targets.outcomes import but_spins
from tests.targets.qemu.binary import NEEDS_QEMU
from vblkfuzz.executor import Execution, run_scenario
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.op import Op, op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.doors.image import Image
from vblkfuzz.targets.qemu.internal_snapshot import InternalSnapshot
from vblkfuzz.targets.qemu.rig import QemuRig
from vblkfuzz.targets.qemu.rings_at_zero import QemuTarget
from vblkfuzz.targets.qmp import Qmp
from vblkfuzz.trace.kinds import DRAIN_END, PUSH, RESTORED, SAVED
from vblkfuzz.trace.probe import without_probe

pytestmark = [pytest.mark.realdevice, NEEDS_QEMU]

INIT, LOOK = op("init"), op("collect")
WRITE = op("publish_kick", request="out", sector=3)
READ = op("publish_kick", request="in", sector=3)
SAVE, RESTORE = op("save", by="snapshot"), op("restore")
BEGIN, END = op("drain_begin"), op("drain_end")
THREADS = pytest.mark.parametrize("iothreads", [0, 1])


def run(target: QemuTarget, *ops: Op, iothreads: int = 1) -> Execution:
    return run_scenario(target, Scenario(DeviceConfig(iothreads=iothreads, queue_size=16), ops))


def kinds(execution: Execution, *some: int) -> list[int]:
    return [event.kind for event in without_probe(execution.trace.events) if event.kind in some]


@THREADS
@pytest.mark.parametrize(
    "ops",
    [
        (INIT, WRITE, SAVE, RESTORE, READ, LOOK),
        (INIT, WRITE, LOOK, SAVE, RESTORE, READ, LOOK, SAVE, RESTORE, WRITE, LOOK),
        (INIT, WRITE, SAVE, SAVE, RESTORE, RESTORE, READ, LOOK),
        (INIT, op("stop"), SAVE, op("cont"), RESTORE, WRITE, READ, LOOK),
        (INIT, op("publish", request="out"), SAVE, op("kick"), RESTORE, READ, LOOK),
        (SAVE, RESTORE, INIT, WRITE, READ, LOOK),
    ],
    ids=["plain", "twice", "again", "stopped", "kicked_later", "not_set_up"],
)
def test_the_device_goes_on(
    rig: QemuRig, target: QemuTarget, ops: tuple[Op, ...], iothreads: int
) -> None:
    run(target, iothreads=iothreads)
    before = rig.processes
    execution = run(target, *ops, iothreads=iothreads)
    assert not but_spins(execution.verdict)
    assert SAVED in kinds(execution, SAVED)
    assert rig.processes == before


@THREADS
def test_a_drained_section_stays_open(target: QemuTarget, iothreads: int) -> None:
    execution = run(target, INIT, BEGIN, SAVE, RESTORE, WRITE, END, LOOK, iothreads=iothreads)
    assert not but_spins(execution.verdict)
    seen = kinds(execution, SAVED, RESTORED, DRAIN_END, PUSH)
    assert seen == [SAVED, RESTORED, DRAIN_END, PUSH]


@THREADS
def test_a_saved_vm_at_the_end_is_restored(target: QemuTarget, iothreads: int) -> None:
    execution = run(target, INIT, WRITE, SAVE, iothreads=iothreads)
    assert not but_spins(execution.verdict)
    assert kinds(execution, SAVED, RESTORED) == [SAVED, RESTORED]


@THREADS
def test_a_save_waits_for_a_held_request(target: QemuTarget, iothreads: int) -> None:
    """It flushes, so it ends with the release."""
    ops = (INIT, op("hold"), WRITE, SAVE, op("release"), RESTORE, READ, LOOK)
    execution = run(target, *ops, iothreads=iothreads)
    assert not but_spins(execution.verdict)
    assert kinds(execution, PUSH, SAVED, RESTORED) == [PUSH, SAVED, RESTORED, PUSH]


def test_a_state_that_is_refused_is_no_hang(target: QemuTarget) -> None:
    """The used index is ahead of the saved one, as after a push that no driver asked for (S6)."""
    device = DeviceConfig(iothreads=0, queue_size=4, ioeventfd=False)
    ops = (INIT, BEGIN, WRITE, INIT, END, SAVE, RESTORE)
    found = run_scenario(target, Scenario(device, ops)).verdict.violations
    last = found[-1]
    assert last.signature == "crash-load-02145aa4"
    assert "process cannot load the state that it has saved (qemu-system-x86_64: " in last.sentence
    assert "s6-reset-not_popped" in {one.signature for one in found}


def test_an_image_that_a_failed_job_has_kept_takes_no_state() -> None:
    image = Image()
    image.is_open = True
    work = InternalSnapshot(image).fill(cast("Qmp", None))  # it says nothing to QEMU
    with pytest.raises(StopIteration) as ended:
        work.send(None)
    assert ended.value.value is False
    image.free()


def test_the_cache_mode_is_lost_here_too(target: QemuTarget) -> None:
    ops = (INIT, op("writeback", mode="writethrough"), SAVE, RESTORE, WRITE, LOOK)
    found = [one.signature for one in run(target, *ops).verdict.violations]
    assert found == ["s31-restored"]
