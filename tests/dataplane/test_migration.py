from __future__ import annotations

import pickle

import pytest

from tests.dataplane.rig import DRIVER_OK, FEATURES_OK, Rig
from vblkfuzz.dataplane.registers import CAPACITY, GENERATION, STATUS, WRITEBACK, Exit
from vblkfuzz.dataplane.saved_state import SavedState
from vblkfuzz.dataplane.wrong_return import WrongReturn
from vblkfuzz.process.execution import SharedParts
from vblkfuzz.scenario.op import op
from vblkfuzz.trace.kinds import (
    CONFIG_IRQ,
    FLUSHED,
    IRQ,
    POP,
    PUSH,
    RESET_RET,
    RESIZE,
    RESTORED,
    RESUMED,
    RETRY,
    SAVED,
    START_CALL,
    SUBMIT,
    VM_CONT,
    VM_STOP_CALL,
    VM_STOP_RET,
)

OK = 0


def recorded(rig: Rig, *kinds: int) -> list[int]:
    return [event.kind for event in rig.events(*kinds)]


def state_of(rig: Rig) -> SavedState:
    return rig.machine.device.save_state()


def test_a_save_stops_and_flushes_before_it_gives_the_disk_away(parts: SharedParts) -> None:
    rig = Rig(parts)
    rig.init()
    rig.perform("save")
    assert recorded(rig, VM_STOP_CALL, FLUSHED, VM_STOP_RET, SAVED) == [
        *(VM_STOP_CALL, FLUSHED, VM_STOP_RET, SAVED),
    ]
    assert not rig.machine.vm_running


def test_a_stopped_vm_is_saved_without_another_stop(parts: SharedParts) -> None:
    rig = Rig(parts)
    rig.perform("stop")
    rig.perform("save")
    assert recorded(rig, VM_STOP_CALL, SAVED) == [VM_STOP_CALL, SAVED]


def test_a_restored_vm_runs_with_another_device(parts: SharedParts) -> None:
    rig = Rig(parts)
    rig.init()
    rig.perform("save")
    rig.perform("restore")
    assert recorded(rig, SAVED, RESTORED, VM_CONT) == [SAVED, RESTORED, VM_CONT]
    assert rig.machine.vm_running
    new = rig.machine.device
    assert new is not rig.device
    assert rig.blk.device is new
    assert new.started
    assert rig.status_of(rig.send()) == OK


@pytest.mark.parametrize("name", ["restore", "cont"])
def test_without_a_save_a_restore_does_nothing(parts: SharedParts, name: str) -> None:
    rig = Rig(parts)
    rig.init()
    rig.discard_events()
    rig.perform(name)
    assert recorded(rig, RESTORED, VM_CONT) == []
    assert rig.machine.device is rig.device


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("save", SAVED),
        ("stop", VM_STOP_CALL),
        ("cont", VM_CONT),
        ("system_reset", RESET_RET),
        ("resize", RESIZE),
        ("power_loss", RESET_RET),
    ],
)
def test_a_saved_vm_is_elsewhere(parts: SharedParts, name: str, kind: int) -> None:
    rig = Rig(parts)
    rig.init()
    rig.perform("save")
    rig.discard_events()
    before = state_of(rig)
    rig.perform(name)
    assert rig.count(kind) == 0
    assert not rig.machine.vm_running
    rig.perform("restore")
    assert rig.count(VM_CONT) == 1
    assert state_of(rig) == before


def test_the_epilogue_ends_sections_then_restores(parts: SharedParts) -> None:
    rig = Rig(parts)
    rig.init()
    rig.perform("drain_begin")
    rig.perform("stop")
    rig.perform("save")
    done = []
    while operation := rig.machine.unfinished():
        done.append(operation.name)
        rig.perform(operation.name)
    assert done == ["drain_end", "restore"]


def test_the_state_is_plain_values(parts: SharedParts) -> None:
    rig = Rig(parts, ioeventfd=False)
    rig.init()
    rig.perform("drain_begin")
    rig.send("out", sector=3)
    rig.perform("save")
    state = state_of(rig)
    assert [request.head for request in state.requests] == [0]
    assert pickle.loads(pickle.dumps(state)) == state


@pytest.mark.parametrize("drained_until", ["save", "restore"])
def test_a_parked_request_ends_once_in_the_restored_device(
    parts: SharedParts, drained_until: str
) -> None:
    rig = Rig(parts, ioeventfd=False)
    rig.init()
    rig.perform("drain_begin")
    slot = rig.send("out", sector=3)
    rig.perform("save")
    if drained_until == "save":
        rig.perform("drain_end")
    assert rig.count(SUBMIT) == 0
    rig.perform("restore")
    rig.perform("drain_end")
    assert recorded(rig, POP, RETRY, SAVED, RESUMED, SUBMIT, PUSH) == [
        *(POP, RETRY, SAVED, RESUMED, SUBMIT, PUSH),
    ]
    assert {event.request for event in rig.events(POP, RESUMED, SUBMIT, PUSH)} == {1}
    assert rig.status_of(slot) == OK


def test_a_failed_request_is_submitted_again(parts: SharedParts) -> None:
    rig = Rig(parts, rerror="stop")
    rig.init()
    rig.perform("hold")
    slot = rig.send("in", sector=3)
    rig.perform("complete", which="newest", result="eio")
    assert not rig.machine.vm_running
    rig.perform("release")
    rig.perform("save")
    rig.perform("restore")
    assert rig.count(SUBMIT) == 2
    assert rig.count(PUSH) == 1
    assert rig.status_of(slot) == OK


def test_a_save_waits_for_what_is_in_flight(parts: SharedParts) -> None:
    rig = Rig(parts)
    rig.init()
    rig.perform("hold")
    rig.send("out", sector=3)
    rig.perform("save")
    assert rig.count(SAVED) == 0
    rig.perform("release")
    assert recorded(rig, PUSH, SAVED) == [PUSH, SAVED]


def test_a_kick_in_a_notifier_is_not_lost(parts: SharedParts) -> None:
    rig = Rig(parts)
    rig.init()
    rig.perform("drain_begin")
    slot = rig.send()
    rig.perform("drain_begin")
    rig.perform("save")
    rig.perform("drain_end")
    rig.perform("drain_end")
    assert rig.count(POP) == 0
    rig.perform("restore")
    assert rig.status_of(slot) == OK


def test_a_call_that_was_not_taken_is_made_again(parts: SharedParts) -> None:
    rig = Rig(parts, queues=2)
    rig.init()
    rig.send(queue=1)
    assert rig.count(IRQ) == 1
    rig.perform("save")
    assert state_of(rig).calls == (1,)
    rig.perform("restore")
    assert [event.queue for event in rig.events(IRQ)] == [1, 1]
    assert rig.parts.calls[1].is_set()
    assert not rig.parts.calls[0].is_set()


@pytest.mark.parametrize("first_index", [0, 0xFFFF])
def test_a_call_from_before_a_reset_is_not_made_again(parts: SharedParts, first_index: int) -> None:
    rig = Rig(parts, first_index=first_index, ioeventfd=False)
    rig.init()
    rig.parts.calls[0].set()
    assert state_of(rig).calls == ()
    rig.write_status(0)
    assert state_of(rig).calls == ()


def test_a_call_is_not_pending_once_it_was_taken(parts: SharedParts) -> None:
    rig = Rig(parts)
    rig.init()
    rig.send()
    rig.parts.calls[0].clear()
    rig.perform("save")
    rig.perform("restore")
    assert rig.count(IRQ) == 1


def test_the_configuration_stays(parts: SharedParts) -> None:
    rig = Rig(parts)
    rig.init()
    rig.perform("resize", sectors=20)
    words = rig.parts.arena.registers.words
    rig.exit(Exit.WRITEBACK, 0)
    before = [words[each] for each in (CAPACITY, GENERATION, STATUS, WRITEBACK)]
    rig.perform("save")
    rig.perform("restore")
    assert [words[each] for each in (CAPACITY, GENERATION, STATUS, WRITEBACK)] == before
    assert not rig.backend.write_cache
    assert rig.machine.device.features == rig.device.features


def test_the_interrupt_of_a_resize_comes_before_the_save(parts: SharedParts) -> None:
    rig = Rig(parts)
    rig.init()
    rig.machine.perform(op("resize", sectors=20))
    rig.machine.perform(op("save"))
    rig.settle()
    assert recorded(rig, CONFIG_IRQ, SAVED) == [CONFIG_IRQ, SAVED]


def test_a_device_that_is_not_ready_is_restored_so(parts: SharedParts) -> None:
    rig = Rig(parts)
    rig.init(FEATURES_OK)
    rig.perform("save")
    rig.perform("restore")
    assert rig.count(START_CALL) == 0
    rig.write_status(DRIVER_OK)
    assert rig.count(START_CALL) == 1
    assert rig.status_of(rig.send()) == OK


def test_a_broken_device_stays_broken(parts: SharedParts) -> None:
    rig = Rig(parts)
    rig.init()
    rig.publish_raw([(0x9000, 4)], [])
    rig.kick()
    assert rig.device.broken
    rig.perform("save")
    rig.perform("restore")
    assert rig.machine.device.broken
    rig.write_status(0)
    rig.init()
    assert rig.status_of(rig.send()) == OK


def test_the_rings_go_on_where_they_were(parts: SharedParts) -> None:
    rig = Rig(parts, queue_size=16, ioeventfd=False)
    rig.init()
    rig.send()
    rig.perform("drain_begin")
    rig.send()
    rig.perform("stop")
    queue, areas = rig.device.ports[0].queue, rig.device.ports[0].rings.areas
    before = queue.last_avail, queue.used_idx, queue.inuse, queue.notification, areas
    rig.perform("save")
    rig.perform("restore")
    new, areas = rig.machine.device.ports[0].queue, rig.machine.device.ports[0].rings.areas
    assert before[:3] == (2, 1, 1)
    assert (new.last_avail, new.used_idx, new.inuse, new.notification, areas) == before


def test_what_the_operator_has_chosen_stays(parts: SharedParts) -> None:
    rig = Rig(parts, iothreads=2)
    rig.init()
    rig.perform("stop")
    rig.perform("set_iothread", iothread=1)
    rig.perform("save")
    rig.perform("start_fail", queue=0)
    rig.perform("restore")
    assert rig.machine.device.first_iothread == 1
    assert rig.machine.device.disabled


def test_a_saved_state_of_another_type_is_refused(
    parts: SharedParts, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = Rig(parts)
    rig.init()
    monkeypatch.setattr(rig.machine.device, "save_state", lambda: None)
    with pytest.raises(WrongReturn, match="save_state: expected a SavedState, found NoneType"):
        rig.perform("save")
