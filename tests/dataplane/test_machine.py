from __future__ import annotations

import pytest

from tests.dataplane.rig import Rig
from tests.dataplane.stepping import MANY
from vblkfuzz.dataplane.queue_port import QueuePort
from vblkfuzz.dataplane.registers import EXIT, Exit
from vblkfuzz.dataplane.revisions.patch_v4 import PatchV4
from vblkfuzz.dataplane.thread import POINT, Steps, Thread
from vblkfuzz.dataplane.virtio_blk import VirtioBlk
from vblkfuzz.process.execution import SharedParts
from vblkfuzz.scenario.op import op
from vblkfuzz.trace.event import ActorId
from vblkfuzz.trace.kinds import (
    CANCEL,
    DRAIN_CALL,
    DRAIN_END,
    HANDLER,
    POP,
    PUSH,
    QUEUE_RESET,
    RESET_CALL,
    RESET_RET,
    STATUS,
)


def test_an_exit_is_handled_by_the_vcpu_and_then_gone(parts: SharedParts) -> None:
    rig = Rig(parts)
    rig.write_status(1)
    assert parts.arena.registers.words[EXIT] == Exit.NONE
    assert [event.actor for event in rig.events(STATUS)] == [ActorId.VCPU]
    assert rig.machine.bql.is_free()


def test_commands_run_in_the_main_loop(parts: SharedParts) -> None:
    rig = Rig(parts)
    rig.perform("drain_begin")
    assert [event.actor for event in rig.events(DRAIN_CALL)] == [ActorId.MAIN]


def test_an_exit_waits_for_the_bql(parts: SharedParts) -> None:
    rig = Rig(parts)
    rig.init()
    rig.perform("hold")
    rig.send()
    rig.perform("drain_begin")
    rig.write_status(0)
    assert rig.count(RESET_CALL) == 0
    rig.perform("release")
    assert rig.count(RESET_RET) == 1


def test_a_waiting_exit_may_go_before_a_unit_of_the_main_loop(parts: SharedParts) -> None:
    rig = Rig(parts)
    free = []

    def bottom_half(thread: Thread) -> Steps:
        yield POINT
        free.append(rig.machine.bql.is_free())

    rig.device.main.schedule(bottom_half)
    vcpu, main = rig.machine.threads[:2]
    assert main.resume(1) == 1
    parts.arena.registers.post_exit(Exit.STATUS, 0)
    vcpu.resume(MANY)
    assert (rig.count(RESET_RET), free) == (1, [])
    assert main.resume(MANY) == 0  # the point with which the unit starts was passed
    assert free == [False]


def test_a_unit_that_waits_at_once_waits_with_the_bql(parts: SharedParts) -> None:
    rig = Rig(parts)
    open_now = False

    def bottom_half(thread: Thread) -> Steps:
        yield lambda: open_now

    rig.device.main.schedule(bottom_half)
    rig.settle()
    assert not rig.machine.bql.is_free()
    open_now = True
    rig.settle()
    assert rig.machine.bql.is_free()


def test_a_trapped_kick_is_forwarded_where_a_notifier_is_open(parts: SharedParts) -> None:
    rig = Rig(parts)
    rig.init()
    rig.publish()
    rig.exit(Exit.KICK, 0)
    (handler,) = rig.events(HANDLER)[-1:]
    assert (handler.actor, handler.flag) == (ActorId.IO0, 0)


def test_a_trapped_kick_without_notifier_is_handled_there(parts: SharedParts) -> None:
    rig = Rig(parts, ioeventfd=False)
    rig.init()
    rig.send()
    (handler,) = rig.events(HANDLER)
    assert (handler.actor, handler.flag) == (ActorId.VCPU, 1)
    assert rig.paths(POP) == ["direct_kick"]


def test_a_queue_enabled_after_driver_ok_is_taken_over(parts: SharedParts) -> None:
    rig = Rig(parts)
    rig.init()
    rig.exit(Exit.QUEUE_RESET, 0)
    rig.make_rings(bank=1)
    rig.exit(Exit.QUEUE_ENABLE, 0)
    assert rig.status_of(rig.send()) == 0


class OwnQueueReset(VirtioBlk):
    """It cancels on no causal path of its own."""

    def reset_queue(self, thread: Thread, port: QueuePort) -> Steps:
        yield POINT
        for request in self.blk.cancel_parked(port.queue):
            self.cancel(thread, request)
        self.forget_queue(thread, port)


def test_what_a_device_does_as_a_queue_is_reset_is_on_that_path(parts: SharedParts) -> None:
    rig = Rig(parts, OwnQueueReset, ioeventfd=False)
    rig.init()
    rig.perform("drain_begin")
    rig.send()
    rig.exit(Exit.QUEUE_RESET, 0)
    assert rig.paths(CANCEL) == rig.paths(QUEUE_RESET) == ["queue_reset"]


@pytest.mark.parametrize("iothread", [0, 1])
def test_poll_operations_mean_one_iothread(parts: SharedParts, iothread: int) -> None:
    rig = Rig(parts, iothreads=2)
    rig.perform("poll_on", iothread=iothread)
    assert [context.polling for context in rig.machine.iothreads] == [iothread == 0, iothread == 1]
    rig.perform("poll_off", iothread=iothread)
    assert not any(context.polling for context in rig.machine.iothreads)


def test_poll_operations_without_iothreads_do_nothing(parts: SharedParts) -> None:
    Rig(parts, iothreads=0).perform("poll_on")


def test_the_way_to_rest(parts: SharedParts) -> None:
    """I/O first, then drains, then the VM."""
    rig = Rig(parts)
    rig.init()
    for name in ("drain_begin", "mirror_begin", "stop", "hold"):
        rig.perform(name)
    steps = []
    while operation := rig.machine.unfinished():
        steps.append(operation.name)
        rig.perform(operation.name)
    assert steps == ["release", "drain_end", "mirror_finish", "cont"]


def test_two_requests_are_two_in_flight(parts: SharedParts) -> None:
    rig = Rig(parts, queues=2)
    rig.init()
    rig.perform("hold")
    rig.send(queue=0)
    rig.send(queue=1)
    assert rig.machine.in_flight() == 2


def test_a_wrong_count_fits_an_event(parts: SharedParts) -> None:
    rig = Rig(parts)
    rig.blk.in_flight = -1
    assert rig.machine.in_flight() == 0xFFFF


def test_completions_run_where_their_queue_lives(parts: SharedParts) -> None:
    rig = Rig(parts, queues=2, iothreads=2)
    rig.init()
    rig.send(queue=1)
    assert [event.actor for event in rig.events(PUSH)] == [ActorId.IO1]


def test_the_seed_completes_under_the_lock(parts: SharedParts) -> None:
    rig = Rig(parts, PatchV4)
    rig.init()
    lock = rig.machine.iothreads[0].lock
    list(lock.acquire(rig.machine.vcpu))
    slot = rig.send()
    assert rig.count(POP) == 0
    lock.release()
    rig.settle()
    assert rig.status_of(slot) == 0
    assert lock.is_free()


def test_a_command_while_the_main_loop_waits_comes_after_it(parts: SharedParts) -> None:
    rig = Rig(parts)
    rig.init()
    rig.perform("hold")
    rig.send()
    rig.perform("drain_begin")
    rig.machine.perform(op("drain_end"))
    rig.settle()
    assert [event.value for event in rig.events(DRAIN_END)] == [0]  # of start
    rig.perform("release")
    assert rig.count(DRAIN_END) == 2
