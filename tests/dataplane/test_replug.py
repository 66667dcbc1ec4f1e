"""Unplug and plug: the old device leaves nothing behind, the new one is in its power-on state."""

from __future__ import annotations

import pytest

from tests.dataplane.rig import Rig
from vblkfuzz.dataplane.registers import CAPACITY, ENABLED, STATUS
from vblkfuzz.dataplane.revisions.qemu_10_2 import Qemu102
from vblkfuzz.process.execution import SharedParts
from vblkfuzz.trace.event import path_names
from vblkfuzz.trace.kinds import (
    ATTACH,
    CANCEL,
    DETACH,
    DRAIN_END,
    IO_DONE,
    NOTIFIER_CLOSE,
    PARK,
    POP,
    PUSH,
    RESET_CALL,
    RESET_RET,
    RETRY,
)

UNPLUG = 2


@pytest.mark.parametrize("part", ["device", "connection"])
def test_a_new_device_is_in_its_power_on_state(parts: SharedParts, part: str) -> None:
    rig = Rig(parts)
    rig.init()
    old = rig.machine.device
    rig.perform("replug", part=part)
    new = rig.machine.device
    assert new is not old
    assert rig.blk.device is new
    assert (new.status, new.features, new.started, new.broken) == (0, 0, False, False)
    assert rig.parts.arena.registers.words[STATUS] == 0
    assert rig.parts.arena.registers.queue(0, ENABLED) == 0
    assert [event.flag for event in rig.events(RESET_CALL)] == [UNPLUG]
    assert [path_names(event.path) for event in rig.events(RESET_RET)] == ["replug"]
    assert new.epoch == 1


def test_the_old_device_detaches_and_closes_its_notifiers(parts: SharedParts) -> None:
    rig = Rig(parts, queues=2)
    rig.init()
    rig.perform("replug")
    assert rig.count(DETACH) == rig.count(NOTIFIER_CLOSE) == 2


def test_the_new_device_serves_the_next_driver(parts: SharedParts) -> None:
    rig = Rig(parts)
    rig.init()
    rig.perform("replug")
    rig.init(bank=1)
    rig.publish()
    rig.kick()
    assert [event.epoch for event in rig.events(PUSH)] == [1]


def test_drained_sections_stay_open(parts: SharedParts) -> None:
    rig = Rig(parts)
    rig.init()
    rig.perform("drain_begin")
    rig.perform("replug")
    assert rig.blk.quiesce_counter == 1
    rig.init(bank=1)
    rig.publish()
    rig.kick()
    assert rig.count(POP) == 0
    rig.perform("drain_end")
    assert rig.count(POP) == rig.count(PUSH) == 1


def test_a_parked_request_goes_with_its_device(parts: SharedParts) -> None:
    rig = Rig(parts, ioeventfd=False)
    rig.init()
    rig.perform("drain_begin")
    rig.publish()
    rig.kick()
    assert rig.count(PARK) == 1
    rig.perform("replug")
    rig.perform("drain_end")
    assert rig.count(CANCEL) == 1
    assert rig.count(IO_DONE) == 0


def test_a_revision_leaves_a_parked_request_alone(parts: SharedParts) -> None:
    rig = Rig(parts, Qemu102, ioeventfd=False)
    rig.init()
    rig.perform("drain_begin")
    rig.publish()
    rig.kick()
    rig.perform("replug")
    rig.perform("drain_end")
    assert rig.count(CANCEL) == 0
    assert rig.count(IO_DONE) == 1


def test_an_unplug_waits_for_a_request_in_flight(parts: SharedParts) -> None:
    rig = Rig(parts)
    rig.init()
    rig.perform("hold")
    rig.publish()
    rig.kick()
    rig.perform("replug")
    assert rig.count(RESET_RET) == 0
    rig.perform("release")
    done = [event.kind for event in rig.events(IO_DONE, PUSH, RESET_RET)]
    assert done == [IO_DONE, PUSH, RESET_RET]


def test_the_retry_list_goes_with_its_device(parts: SharedParts) -> None:
    rig = Rig(parts, werror="stop")
    rig.init()
    rig.perform("hold")
    rig.publish("out")
    rig.kick()
    rig.perform("complete", result="enospc")
    rig.perform("release")
    assert rig.count(RETRY) == 1
    rig.perform("replug")
    assert not rig.machine.vm_running
    rig.perform("cont")
    assert rig.count(CANCEL) == 1
    assert rig.count(PUSH) == 0


def test_the_new_device_has_the_size_of_the_disk(parts: SharedParts) -> None:
    rig = Rig(parts, disk_sectors=64)
    rig.perform("resize", sectors=32)
    rig.perform("replug")
    assert rig.parts.arena.registers.words[CAPACITY] == 32


def test_what_the_operator_chose_for_the_next_start_stays(parts: SharedParts) -> None:
    rig = Rig(parts, iothreads=2)
    rig.perform("set_iothread", iothread=1)
    rig.perform("replug")
    rig.init()
    assert [event.value for event in rig.events(ATTACH)] == [4]


def test_the_device_of_a_saved_vm_is_not_replaced(parts: SharedParts) -> None:
    rig = Rig(parts)
    rig.init()
    rig.perform("save")
    rig.perform("replug")
    assert rig.count(RESET_CALL) == 0
    rig.perform("restore")
    assert rig.count(DRAIN_END) > 0
