"""The context in which a request goes on, and how its call is made."""

from __future__ import annotations

import pytest

from tests.dataplane.rig import Rig
from vblkfuzz.dataplane.revisions import REVISIONS
from vblkfuzz.process.execution import SharedParts
from vblkfuzz.trace.event import ActorId
from vblkfuzz.trace.kinds import IRQ, PUSH, SUBMIT


def actors(rig: Rig, kind: int) -> list[int]:
    return [event.actor for event in rig.events(kind)]


@pytest.mark.parametrize(
    ("ioeventfd", "actor", "by_virtio_notify"),
    [(True, ActorId.IO0, 0), (False, ActorId.MAIN, 1)],
)
def test_a_request_ends_in_the_thread_that_took_it(
    parts: SharedParts, ioeventfd: bool, actor: ActorId, by_virtio_notify: int
) -> None:
    """A vCPU has no event loop; requests that it pops end in the main loop."""
    rig = Rig(parts, ioeventfd=ioeventfd)
    rig.init()
    rig.send()
    assert actors(rig, PUSH) == [actor]
    assert [event.flag for event in rig.events(IRQ)] == [by_virtio_notify]


@pytest.mark.parametrize(
    ("device", "actor"), [("reference", ActorId.IO0), ("qemu-10.2", ActorId.MAIN)]
)
def test_a_parked_request_goes_on_where_its_queue_is_handled_by_then(
    parts: SharedParts, device: str, actor: ActorId
) -> None:
    """The vCPU popped it after a failed start; since then another start has succeeded."""
    rig = Rig(parts, REVISIONS[device])
    rig.perform("start_fail")
    rig.init()
    rig.perform("drain_begin")
    rig.send()
    rig.perform("stop")
    rig.perform("cont")
    rig.perform("drain_end")
    assert actors(rig, SUBMIT) == [actor]


def test_a_failed_request_is_submitted_again_where_its_queue_is_handled_by_then(
    parts: SharedParts,
) -> None:
    rig = Rig(parts, iothreads=2, werror="stop")
    rig.init()
    rig.perform("hold")
    rig.send("out")
    rig.perform("complete", which="all", result="eio")
    rig.perform("set_iothread", iothread=1)
    rig.perform("release")
    rig.perform("cont")
    assert actors(rig, SUBMIT) == [ActorId.IO0, ActorId.IO1]
    assert actors(rig, PUSH) == [ActorId.IO1]


@pytest.mark.parametrize("device", ["qemu-8.1", "reference"])
def test_the_way_of_a_call_during_a_stop(parts: SharedParts, device: str) -> None:
    """B15: until bfa36802d1 the state of the dataplane decided how, not the calling thread."""
    rig = Rig(parts, REVISIONS[device])
    rig.init()
    rig.perform("hold")
    rig.send()
    rig.perform("stop")
    rig.perform("release")
    (irq,) = rig.events(IRQ)
    assert (irq.actor, irq.flag) == (ActorId.IO0, device == "qemu-8.1")
