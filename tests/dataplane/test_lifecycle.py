from __future__ import annotations

import pytest

from tests.dataplane.rig import DRIVER_OK, FEATURES_OK, Rig
from vblkfuzz.dataplane.registers import ENABLED, IOEVENTFD, STATUS, Exit
from vblkfuzz.dataplane.revisions.patch_v4 import PatchV4
from vblkfuzz.dataplane.revisions.reference import Reference
from vblkfuzz.dataplane.thread import POINT, Steps, Thread
from vblkfuzz.dataplane.virtio_blk import VirtioBlk
from vblkfuzz.process.execution import SharedParts
from vblkfuzz.trace.event import ActorId
from vblkfuzz.trace.kinds import (
    ATTACH,
    CANCEL,
    DETACH,
    DRAIN_CALL,
    HANDLER,
    NOTIFIER_CLOSE,
    NOTIFIER_OPEN,
    POP,
    QUEUE_RESET,
    RESET_CALL,
    RESET_RET,
    START_CALL,
    START_RET,
    STOP_CALL,
    STOP_RET,
    SUBMIT,
)
from vblkfuzz.virtio.layout import STATUS_NEEDS_RESET

OPEN, CLOSE = NOTIFIER_OPEN, NOTIFIER_CLOSE


def order(rig: Rig, *kinds: int) -> list[tuple[int, int]]:
    return [(event.kind, event.queue) for event in rig.events(*kinds)]


def plain(rig: Rig, *kinds: int) -> list[int]:
    return [event.kind for event in rig.events(*kinds)]


# --- Start ------------------------------------------------------------------------------------


def test_driver_ok_starts(parts: SharedParts) -> None:
    rig = Rig(parts, queues=2)
    rig.init(FEATURES_OK)
    assert rig.count(START_CALL) == 0
    rig.discard_events()
    rig.write_status(DRIVER_OK)
    recorded = plain(rig, START_CALL, OPEN, DRAIN_CALL, ATTACH, START_RET)
    assert recorded == [START_CALL, OPEN, OPEN, DRAIN_CALL, ATTACH, ATTACH, START_RET]
    assert rig.device.started
    assert rig.blk.context is rig.device.home is rig.machine.iothreads[0]


def test_the_node_moves_before_the_reference_counts_as_started(parts: SharedParts) -> None:
    rig = Rig(parts)
    rig.init()
    assert rig.count(ATTACH) == 1


def test_the_seed_attaches_twice(parts: SharedParts) -> None:
    """B2: the drain of its move attaches, then start attaches."""
    rig = Rig(parts, PatchV4)
    rig.init()
    assert rig.paths(ATTACH) == ["start > set_aio_context > drained_end", "start"]


def test_starting_twice_is_a_no_op(parts: SharedParts) -> None:
    rig = Rig(parts)
    rig.init()
    rig.discard_events()
    rig.write_status(DRIVER_OK)
    assert rig.count(START_CALL) == 0


def test_without_ioeventfd_nothing_starts(parts: SharedParts) -> None:
    rig = Rig(parts, ioeventfd=False)
    rig.init()
    assert not rig.device.started
    assert rig.count(OPEN) == 0


def test_without_iothreads_the_main_loop_is_home(parts: SharedParts) -> None:
    rig = Rig(parts, iothreads=0)
    rig.init()
    assert [event.value for event in rig.events(ATTACH)] == [ActorId.MAIN]


def test_the_reference_deals_queues_out_the_seed_does_not(parts: SharedParts) -> None:
    rig = Rig(parts, queues=4, iothreads=2)
    rig.init()
    contexts = [event.value for event in rig.events(ATTACH)]
    assert contexts == [ActorId.IO0, ActorId.IO1, ActorId.IO0, ActorId.IO1]
    rig = Rig(parts, PatchV4, queues=4, iothreads=2)
    rig.init()
    assert {event.value for event in rig.events(ATTACH)} == {ActorId.IO0}


def test_a_kick_before_driver_ok_starts(parts: SharedParts) -> None:
    rig = Rig(parts)
    rig.init(FEATURES_OK)
    slot = rig.send()
    assert rig.device.started
    assert rig.status_of(slot) == 0


def test_a_start_in_a_drain_attaches_after_it(parts: SharedParts) -> None:
    rig = Rig(parts)
    rig.perform("drain_begin")
    rig.init()
    slot = rig.send()
    assert (rig.count(ATTACH), rig.count(POP)) == (0, 0)
    rig.perform("drain_end")
    assert rig.paths(ATTACH) == ["drained_end"]
    assert rig.status_of(slot) == 0


# --- Failed start -----------------------------------------------------------------------------


@pytest.mark.parametrize("failing", [0, 1, 2])
@pytest.mark.parametrize("device_class", [Reference, PatchV4])
def test_a_failed_start_rolls_back(
    parts: SharedParts, failing: int, device_class: type[VirtioBlk]
) -> None:
    rig = Rig(parts, device_class, queues=3)
    rig.perform("start_fail", queue=failing)
    rig.init()
    assert [event.queue for event in rig.events(OPEN)] == list(range(failing))
    assert [event.queue for event in rig.events(CLOSE)] == list(range(failing))
    assert not any(kick.is_open for kick in parts.kicks)
    assert not any(parts.board.registers.queue(index, IOEVENTFD) for index in range(3))
    (ret,) = rig.events(START_RET)
    assert ret.flag == 1
    assert rig.device.disabled and rig.device.started
    assert rig.count(ATTACH) == 0


class _ForgetsThatItFailed(Reference):
    def fall_back(self, thread: Thread) -> Steps:
        self.disabled = False
        yield POINT


def test_what_happened_is_recorded_whatever_the_device_thinks(parts: SharedParts) -> None:
    rig = Rig(parts, _ForgetsThatItFailed)
    rig.perform("start_fail")
    rig.init()
    assert [event.flag for event in rig.events(START_RET)] == [1]


def test_a_failed_start_falls_back_to_direct_kicks(parts: SharedParts) -> None:
    rig = Rig(parts)
    rig.perform("start_fail")
    rig.init()
    assert rig.status_of(rig.send()) == 0
    handler = rig.events(HANDLER)[-1]
    assert (handler.actor, handler.flag) == (ActorId.VCPU, 1)


def test_a_failed_start_serves_what_was_kicked_before(parts: SharedParts) -> None:
    """The stop before it drops the kick; the start after it has no notifier to set."""
    rig = Rig(parts)
    rig.init()
    rig.perform("drain_begin")
    slot = rig.send()
    rig.perform("start_fail")
    rig.perform("stop")
    rig.perform("cont")
    rig.perform("drain_end")
    assert rig.status_of(slot) == 0


def test_a_failed_start_asks_for_kicks_again(parts: SharedParts) -> None:
    rig = Rig(parts, polling=True)
    rig.init()
    rig.send()
    assert not rig.device.ports[0].queue.notification
    rig.perform("start_fail")
    rig.perform("stop")
    rig.perform("cont")
    assert rig.device.ports[0].queue.notification


def test_the_start_after_a_failed_one_succeeds(parts: SharedParts) -> None:
    rig = Rig(parts)
    rig.perform("start_fail")
    rig.init()
    rig.write_status(0)
    rig.discard_events()
    rig.init()
    assert [event.flag for event in rig.events(START_RET)] == [0]
    assert not rig.device.disabled


# --- Stop -------------------------------------------------------------------------------------


def test_stop_undoes_start(parts: SharedParts) -> None:
    rig = Rig(parts, queues=2)
    rig.init()
    rig.discard_events()
    rig.write_status(FEATURES_OK)
    recorded = order(rig, STOP_CALL, DETACH, CLOSE, STOP_RET)
    assert [queue for kind, queue in recorded if kind == DETACH][:2] == [0, 1]
    assert [kind for kind, _ in recorded if kind != DETACH] == [STOP_CALL, CLOSE, CLOSE, STOP_RET]
    assert not rig.device.started
    assert rig.blk.context is rig.machine.device.main
    assert not parts.board.registers.queue(0, IOEVENTFD)


def test_stop_detaches_in_the_handlers_own_thread(parts: SharedParts) -> None:
    rig = Rig(parts, queues=2, iothreads=2)
    rig.init()
    rig.discard_events()
    rig.write_status(FEATURES_OK)
    by_bottom_half = [event for event in rig.events(DETACH) if event.actor >= ActorId.IO0]
    assert [event.actor for event in by_bottom_half] == [ActorId.IO0, ActorId.IO1]


def test_stopping_what_is_stopped_is_a_no_op(parts: SharedParts) -> None:
    rig = Rig(parts)
    rig.init(FEATURES_OK)
    rig.write_status(FEATURES_OK)
    assert rig.count(STOP_CALL) == 0


def test_the_reference_drops_the_last_kick_the_seed_reads_it(parts: SharedParts) -> None:
    """B1, the first bug that the project found."""
    rig = Rig(parts)
    rig.init()
    rig.perform("drain_begin")
    rig.send()
    rig.write_status(FEATURES_OK)
    assert rig.count(POP) == 0
    rig = Rig(parts, PatchV4)
    rig.init()
    rig.perform("drain_begin")
    rig.send()
    rig.write_status(FEATURES_OK)
    assert rig.paths(POP) == ["stop > cleanup_host_notifier > host_notifier_read"]


def test_stop_waits_for_what_is_in_flight(parts: SharedParts) -> None:
    rig = Rig(parts)
    rig.init()
    rig.perform("hold")
    slot = rig.send()
    rig.write_status(FEATURES_OK)
    assert rig.count(STOP_RET) == 0
    rig.perform("release")
    assert rig.count(STOP_RET) == 1
    assert rig.status_of(slot) == 0


def test_the_stop_of_the_seed_leaves_a_handler_in_the_main_context(parts: SharedParts) -> None:
    """B2: the node has moved there, and `started` is still set."""
    rig = Rig(parts, PatchV4)
    rig.init()
    rig.discard_events()
    rig.write_status(FEATURES_OK)
    attached = rig.events(ATTACH)
    assert [event.value for event in attached] == [ActorId.IO0, ActorId.MAIN]
    assert rig.paths(ATTACH)[-1] == "stop > set_aio_context > drained_end"


# --- Reset ------------------------------------------------------------------------------------


def test_reset_starts_a_new_epoch_in_power_on_state(parts: SharedParts) -> None:
    rig = Rig(parts)
    rig.init()
    rig.send()
    rig.write_status(0)
    device, queue = rig.device, rig.device.ports[0].queue
    assert (device.epoch, device.status, device.features, device.started) == (1, 0, 0, False)
    assert (queue.ready, queue.last_avail, queue.used_idx, queue.inuse) == (False, 0, 0, 0)
    assert not parts.board.registers.queue(0, ENABLED)
    assert parts.board.registers.words[STATUS] == 0


def test_reset_stops_before_it_clears_and_drops(parts: SharedParts) -> None:
    rig = Rig(parts)
    rig.init()
    rig.discard_events()
    rig.write_status(0)
    recorded = plain(rig, RESET_CALL, STOP_CALL, STOP_RET, RESET_RET)
    assert recorded == [RESET_CALL, STOP_CALL, STOP_RET, RESET_RET]


def test_reset_cancels_what_is_parked(parts: SharedParts) -> None:
    rig = Rig(parts, ioeventfd=False)
    rig.init()
    rig.perform("drain_begin")
    slot = rig.send()
    assert len(rig.blk.parked) == 1
    rig.write_status(0)
    assert (rig.blk.parked, rig.count(CANCEL)) == ([], 1)
    rig.perform("drain_end")
    assert rig.status_of(slot) == 0xFF


@pytest.mark.parametrize("device_class", [Reference, PatchV4])
def test_reset_empties_the_retry_list(parts: SharedParts, device_class: type[VirtioBlk]) -> None:
    rig = Rig(parts, device_class, werror="stop", rerror="stop")
    rig.init()
    rig.perform("hold")
    rig.send()
    rig.perform("complete", result="eio")
    assert len(rig.device.retry_list) == 1
    rig.perform("system_reset")
    assert (rig.device.retry_list, rig.count(CANCEL)) == ([], 1)
    rig.perform("cont")
    assert rig.count(SUBMIT) == 1


def test_a_broken_device_is_whole_after_a_reset(parts: SharedParts) -> None:
    rig = Rig(parts)
    rig.init()
    rig.rings[0].publish_raw(99)
    rig.kick()
    assert rig.device.broken and rig.device.status & STATUS_NEEDS_RESET
    rig.write_status(0)
    rig.init(bank=1)
    assert rig.status_of(rig.send()) == 0


def test_queue_reset_of_the_reference_ends_or_cancels_first(parts: SharedParts) -> None:
    rig = Rig(parts, queues=2, ioeventfd=False)
    rig.init()
    rig.perform("drain_begin")
    rig.send(queue=0)
    other = rig.send(queue=1)
    rig.exit(Exit.QUEUE_RESET, 0)
    assert [event.queue for event in rig.events(CANCEL)] == [0]
    assert [port.queue.ready for port in rig.device.ports] == [False, True]
    rig.perform("drain_end")
    assert rig.status_of(other) == 0


def test_queue_reset_of_the_reference_waits(parts: SharedParts) -> None:
    rig = Rig(parts)
    rig.init()
    rig.perform("hold")
    rig.send()
    rig.exit(Exit.QUEUE_RESET, 0)
    assert rig.count(QUEUE_RESET) == 0
    rig.perform("release")
    assert rig.count(QUEUE_RESET) == 1


def test_queue_reset_cancels_the_queue_of_the_retry_list(parts: SharedParts) -> None:
    rig = Rig(parts, queues=2, werror="stop", rerror="stop")
    rig.init()
    rig.perform("hold")
    rig.send(queue=0)
    rig.send(queue=1)
    rig.perform("complete", which="all", result="eio")
    rig.perform("cont")
    assert rig.backend.holds_any()
    rig.perform("complete", which="all", result="eio")
    rig.run(rig.device.reset_queue(rig.machine.vcpu, rig.device.ports[0]))
    assert [request.queue.index for request in rig.device.retry_list] == [1]
