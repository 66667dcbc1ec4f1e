from __future__ import annotations

import pytest

from tests.dataplane.rig import Rig
from vblkfuzz.dataplane.registers import CAPACITY, GENERATION, Exit
from vblkfuzz.dataplane.revisions.patch_v4 import PatchV4
from vblkfuzz.dataplane.revisions.qemu_10_2 import Qemu102
from vblkfuzz.dataplane.revisions.reference import Reference
from vblkfuzz.dataplane.virtio_blk import VirtioBlk
from vblkfuzz.process.execution import SharedParts
from vblkfuzz.scenario.op import op
from vblkfuzz.trace.kinds import (
    CONFIG_IRQ,
    DRAIN_CALL,
    DRAIN_END,
    DRAIN_RET,
    FLUSHED,
    IO_DONE,
    PARK,
    POWER_LOSS,
    PUSH,
    RESET_CALL,
    RESET_RET,
    RESIZE,
    RETRY,
    START_CALL,
    STATUS,
    STOP_CALL,
    STOP_RET,
    VM_CONT,
    VM_STOP_CALL,
    VM_STOP_RET,
)

CALL, RET, END = DRAIN_CALL, DRAIN_RET, DRAIN_END


def recorded(rig: Rig, *kinds: int) -> list[int]:
    return [event.kind for event in rig.events(*kinds)]


def test_a_drain_end_without_a_begin_does_nothing(parts: SharedParts) -> None:
    rig = Rig(parts)
    rig.perform("drain_end")
    assert rig.count(END) == 0
    assert rig.blk.quiesce_counter == 0


@pytest.mark.parametrize(("wait", "flag"), [("poll", 1), ("nopoll", 0)])
def test_drains_poll_or_do_not(parts: SharedParts, wait: str, flag: int) -> None:
    rig = Rig(parts)
    rig.perform("drain_begin", wait=wait)
    assert [event.flag for event in rig.events(CALL, RET)] == [flag, flag]


def test_a_mirror_holds_its_section_until_it_finishes(parts: SharedParts) -> None:
    rig = Rig(parts)
    rig.init()
    rig.perform("mirror_begin")
    rig.perform("mirror_begin")
    assert rig.blk.quiesce_counter == 1
    rig.perform("mirror_finish")
    assert rig.blk.quiesce_counter == 0
    rig.discard_events()
    rig.perform("mirror_finish")
    assert rig.count(END) == 0


def test_the_drains_of_a_finishing_mirror_are_nested_in_its_section(parts: SharedParts) -> None:
    rig = Rig(parts)
    rig.perform("mirror_begin")
    rig.discard_events()
    rig.perform("mirror_finish")
    assert [event.value for event in rig.events(CALL, END)] == [2, 1, 2, 1, 0]


@pytest.mark.parametrize("name", ["resize", "snapshot", "reopen"])
def test_short_sections_end_themselves(parts: SharedParts, name: str) -> None:
    rig = Rig(parts)
    rig.perform(name)
    assert recorded(rig, CALL, RET, END) == [CALL, RET, END]


def test_the_config_interrupt_follows_a_resize(parts: SharedParts) -> None:
    rig = Rig(parts)
    rig.init()
    rig.perform("resize", sectors=20)
    assert rig.backend.sectors == 20
    assert recorded(rig, RESIZE, CONFIG_IRQ) == [
        RESIZE,
        CONFIG_IRQ,
    ]


def test_without_a_driver_a_resize_does_not_interrupt(parts: SharedParts) -> None:
    rig = Rig(parts)
    rig.perform("resize", sectors=20)
    assert rig.count(CONFIG_IRQ) == 0


def config(rig: Rig) -> tuple[int, int]:
    """Capacity and generation, as the driver reads them."""
    return rig.parts.arena.registers.words[CAPACITY], rig.parts.arena.registers.words[GENERATION]


@pytest.mark.parametrize(("revision", "late"), [(Reference, 0), (Qemu102, 1)])
def test_a_resize_changes_capacity_and_generation(
    parts: SharedParts, revision: type[VirtioBlk], late: int
) -> None:
    """QEMU changes the generation with the interrupt, and without a driver never."""
    rig = Rig(parts, revision)
    capacity, generation = config(rig)
    assert capacity == rig.config.disk_sectors
    rig.perform("resize", sectors=20)
    assert config(rig) == (20, generation + 1 - late)
    rig.init()
    rig.perform("resize", sectors=30)
    assert config(rig) == (30, generation + 2 - late)


def test_a_loss_of_power_loses_what_was_not_flushed(parts: SharedParts) -> None:
    rig = Rig(parts, queue_size=32)
    rig.init()
    rig.send("out", sector=3)
    rig.send("flush")
    flushed = bytes(rig.backend.disk)
    rig.send("out", sector=3)
    rig.send("out", sector=4)
    assert rig.backend.disk != flushed
    rig.perform("power_loss")
    assert rig.backend.disk == flushed
    assert recorded(rig, RESET_RET, POWER_LOSS)[-2:] == [POWER_LOSS, RESET_RET]


@pytest.mark.parametrize("waiting", ["", "drain_begin", "stop"])
def test_a_loss_of_power_waits_for_nothing(parts: SharedParts, waiting: str) -> None:
    """It ends what is in flight, also what the main loop waits for."""
    rig = Rig(parts, queue_size=32)
    rig.init()
    rig.send("out", sector=3)
    rig.send("flush")
    flushed = bytes(rig.backend.disk)
    rig.perform("hold")
    for request in ("out", "in", "flush"):
        rig.send(request, sector=3)
    if waiting:
        rig.perform(waiting)
    rig.discard_events()
    rig.machine.perform(op("power_loss"))
    assert recorded(rig, IO_DONE, POWER_LOSS) == [IO_DONE, IO_DONE, IO_DONE, POWER_LOSS]
    rig.settle()
    assert rig.backend.disk == flushed
    assert rig.count(RESET_RET) == 1
    assert not rig.backend.holds_any()


def test_a_loss_of_power_keeps_what_a_stop_has_flushed(parts: SharedParts) -> None:
    rig = Rig(parts)
    rig.init()
    rig.send("out", sector=3)
    written = bytes(rig.backend.disk)
    rig.perform("stop")
    rig.perform("power_loss")
    assert any(rig.backend.disk)
    assert rig.backend.disk == written
    assert recorded(rig, FLUSHED, VM_STOP_RET, POWER_LOSS) == [FLUSHED, VM_STOP_RET, POWER_LOSS]


def test_a_loss_of_power_does_not_bring_back_what_a_resize_cut_off(parts: SharedParts) -> None:
    rig = Rig(parts)
    rig.init()
    rig.send("out", sector=9)
    rig.send("flush")
    rig.perform("resize", sectors=9)
    rig.perform("resize", sectors=64)
    rig.perform("power_loss")
    assert not any(rig.backend.disk)


def parked_at_stop(parts: SharedParts, revision: type[VirtioBlk]) -> Rig:
    """A VM that was stopped while a request was parked; the drain has ended since then."""
    rig = Rig(parts, revision, ioeventfd=False)
    rig.init()
    rig.perform("drain_begin")
    rig.send("out")
    assert rig.count(PARK) == 1
    rig.perform("stop")
    rig.discard_events()
    rig.perform("drain_end")
    return rig


def test_a_parked_request_waits_for_cont(parts: SharedParts) -> None:
    rig = parked_at_stop(parts, Reference)
    assert rig.count(PUSH) == 0
    rig.perform("cont")
    assert rig.count(PUSH) == 1
    assert rig.device.retry_list == []


def test_in_qemu_it_runs_while_the_vm_is_stopped(parts: SharedParts) -> None:
    rig = parked_at_stop(parts, Qemu102)
    assert rig.count(PUSH) == 1


def test_a_request_that_is_just_woken_waits_for_cont_too(parts: SharedParts) -> None:
    rig = Rig(parts, ioeventfd=False)
    rig.init()
    rig.perform("drain_begin")
    rig.send("out")
    rig.machine.perform(op("drain_end"))
    rig.machine.perform(op("stop"))
    rig.settle()
    assert len(rig.device.retry_list) == rig.count(RETRY) - rig.count(PUSH)
    rig.perform("cont")
    assert rig.count(PUSH) == 1


def test_stop_stops_the_device_then_drains(parts: SharedParts) -> None:
    rig = Rig(parts)
    rig.init()
    rig.discard_events()
    rig.perform("stop")
    kinds = recorded(rig, VM_STOP_CALL, STOP_CALL, STOP_RET, VM_STOP_RET)
    assert kinds == [
        VM_STOP_CALL,
        STOP_CALL,
        STOP_RET,
        VM_STOP_RET,
    ]
    assert not rig.machine.vm_running
    rig.discard_events()
    rig.perform("stop")
    assert recorded(rig, VM_STOP_CALL) == []


def test_stop_lets_an_exit_end_first(parts: SharedParts) -> None:
    rig = Rig(parts)
    rig.parts.arena.registers.post_exit(Exit.STATUS, 1)
    rig.perform("stop")
    assert recorded(rig, STATUS, VM_STOP_RET) == [
        STATUS,
        VM_STOP_RET,
    ]


@pytest.mark.parametrize("device_class", [Reference, PatchV4])
def test_cont_starts_again_and_serves_the_stopped_time(
    parts: SharedParts, device_class: type[VirtioBlk]
) -> None:
    rig = Rig(parts, device_class)
    rig.init()
    rig.perform("stop")
    slot = rig.publish()
    rig.perform("cont")
    assert rig.machine.vm_running
    assert rig.status_of(slot) == 0


def test_cont_runs_the_vcpus_last(parts: SharedParts) -> None:
    rig = Rig(parts)
    rig.init()
    rig.perform("stop")
    command = rig.machine.operator.cont(rig.machine.threads[1])
    for _ in command:
        assert not rig.machine.vm_running
        rig.settle()
    assert rig.machine.vm_running


def test_cont_of_a_running_vm_does_nothing(parts: SharedParts) -> None:
    rig = Rig(parts)
    rig.perform("cont")
    assert rig.count(VM_CONT) == 0


def test_cont_without_driver_ok_does_not_start(parts: SharedParts) -> None:
    rig = Rig(parts)
    rig.perform("stop")
    rig.perform("cont")
    assert rig.count(START_CALL) == 0


def test_system_reset_is_a_reset_with_the_vcpus_paused(parts: SharedParts) -> None:
    rig = Rig(parts)
    rig.init()
    rig.discard_events()
    command = rig.machine.operator.system_reset(rig.machine.threads[1])
    for _ in command:
        assert not rig.machine.vm_running
        rig.settle()
    assert rig.machine.vm_running
    assert [event.flag for event in rig.events(RESET_CALL)] == [1]
    assert rig.paths(RESET_RET) == ["system_reset > reset"]


def test_system_reset_leaves_a_stopped_vm_stopped(parts: SharedParts) -> None:
    rig = Rig(parts)
    rig.perform("stop")
    rig.perform("system_reset")
    assert not rig.machine.vm_running


def test_the_iothread_changes_only_while_nothing_runs(parts: SharedParts) -> None:
    rig = Rig(parts, iothreads=2)
    rig.perform("set_iothread", iothread=1)
    rig.init()
    rig.perform("set_iothread", iothread=0)
    assert rig.device.home is rig.machine.iothreads[1]
    rig.write_status(0)
    rig.perform("set_iothread", iothread=0)
    assert rig.device.home is rig.machine.iothreads[0]


def test_a_start_failure_beyond_the_queues_wraps(parts: SharedParts) -> None:
    rig = Rig(parts, queues=2)
    rig.perform("start_fail", queue=3)
    assert rig.device.start_fails_at == 1


def test_stop_gives_the_bql_to_an_exit_that_waits_for_it(parts: SharedParts) -> None:
    rig = Rig(parts)
    rig.init()
    rig.machine.perform(op("stop"))
    main = rig.machine.threads[1]
    while rig.machine.bql.is_free():
        main.resume(1)
    rig.parts.arena.registers.post_exit(Exit.STATUS, 0)
    rig.settle()
    assert rig.count(RESET_RET) == 1
    assert rig.count(VM_STOP_RET) == 1


@pytest.mark.parametrize(
    ("kind", "sections"), [("backup", 2), ("commit", 3), ("stream", 3)], ids=str
)
def test_a_block_job_drains_at_its_start_and_at_its_end(
    parts: SharedParts, kind: str, sections: int
) -> None:
    rig = Rig(parts)
    rig.perform("block_job", kind=kind)
    assert rig.count(CALL) == rig.count(END) == sections
    assert rig.blk.quiesce_counter == 0


@pytest.mark.parametrize(("limits", "sections"), [("set", 0), ("removed", 1)])
def test_limits_are_removed_while_drained(parts: SharedParts, limits: str, sections: int) -> None:
    rig = Rig(parts)
    rig.perform("throttle", limits=limits)
    assert rig.count(CALL) == rig.count(END) == sections


def test_a_cancelled_mirror_does_not_switch_the_graph(parts: SharedParts) -> None:
    rig = Rig(parts)
    rig.perform("mirror_begin")
    rig.discard_events()
    rig.perform("mirror_finish", how="cancel")
    assert [event.value for event in rig.events(CALL, END)] == [0]
