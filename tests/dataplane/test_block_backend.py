from __future__ import annotations

import pytest

from tests.dataplane.stepping import (
    Waits,
    idle_thread,
    kinds,
    new_memory,
    new_ring,
    of_kind,
    run,
)
from vblkfuzz.dataplane.aio import AioContext
from vblkfuzz.dataplane.backend import Backend
from vblkfuzz.dataplane.block_backend import BlockBackend
from vblkfuzz.dataplane.request import IoResult, Request
from vblkfuzz.dataplane.revisions.qemu_8_1 import Qemu81BlockBackend
from vblkfuzz.dataplane.thread import POINT, Steps, Thread
from vblkfuzz.trace.event import ActorId
from vblkfuzz.trace.kinds import DRAIN_CALL, DRAIN_END, DRAIN_RET, PARK, SUBMIT, UNPARK
from vblkfuzz.virtio.request.blk import BlkRequest, RequestType
from vblkfuzz.virtio.split.device_queue import DeviceQueue


class Device:
    """A device that logs its callbacks."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.busy = False

    def drained_begin(self, thread: Thread) -> Steps:
        yield POINT
        self.log.append("begin")

    def drained_end(self, thread: Thread) -> Steps:
        yield POINT
        self.log.append("end")

    def drained_poll(self) -> bool:
        return self.busy

    def complete(self, thread: Thread, request: Request) -> Steps:
        yield POINT
        self.log.append(f"complete {request.serial}")

    def context_for(self, request: Request) -> AioContext:
        return request.context


class Node:
    """A BlockBackend with its disk, two event loops and a device."""

    def __init__(self, made_by: type[BlockBackend] = BlockBackend) -> None:
        memory = new_memory()
        self.ring = new_ring()
        self.main, self.iothread = AioContext(ActorId.MAIN), AioContext(ActorId.IO0)
        self.backend = Backend(memory, self.ring, 8, self.deliver)
        self.blk = made_by(self.backend, self.ring, self.main)
        self.blk.device = self.device = Device()
        self.queues = [DeviceQueue(memory, index) for index in range(2)]
        self.thread = idle_thread()
        self._serial = 0

    def deliver(self, request: Request) -> None:
        self.blk.deliver(request)

    def request(self, queue: int = 0) -> Request:
        self._serial += 1
        blk = BlkRequest(RequestType.FLUSH, 0, (), (), 0)
        return Request(self._serial, self.queues[queue], 0, 0, blk, self.iothread)

    def submit(self, queue: int = 0) -> Request:
        request = self.request(queue)
        run(self.blk.submit(self.thread, request))
        return request

    def begin(self, *, poll: bool = True) -> None:
        run(self.blk.drained_begin(self.thread, poll=poll))

    def end(self) -> None:
        run(self.blk.drained_end(self.thread))

    def turn(self) -> None:
        """Run the IOThread."""
        thread = idle_thread(ActorId.IO0)
        while self.iothread.has_work():
            run(self.iothread.run_once(thread))


@pytest.fixture
def node() -> Node:
    return Node()


def test_a_request_is_in_flight_until_the_device_has_completed_it(node: Node) -> None:
    node.submit()
    assert node.blk.in_flight == 1
    node.turn()
    assert (node.blk.in_flight, node.device.log) == (0, ["complete 1"])


def test_callbacks_follow_the_outermost_section_only(node: Node) -> None:
    node.begin()
    node.begin()
    node.begin(poll=False)
    assert (node.device.log, node.blk.in_drain) == (["begin"], True)
    node.end()
    node.end()
    assert (node.device.log, node.blk.in_drain) == (["begin"], True)
    node.end()
    assert (node.device.log, node.blk.in_drain) == (["begin", "end"], False)
    calls = [event.value for event in of_kind(node.ring, DRAIN_CALL)]
    assert calls == [1, 2, 3]
    assert [event.value for event in of_kind(node.ring, DRAIN_END)] == [2, 1, 0]


def test_a_polling_drain_waits_for_what_is_in_flight(node: Node) -> None:
    node.backend.holding = True
    node.submit()
    steps = node.blk.drained_begin(node.thread, poll=True)
    with pytest.raises(Waits):
        run(steps)
    assert of_kind(node.ring, DRAIN_RET) == []


def test_a_polling_drain_returns_once_it_has_ended(node: Node) -> None:
    node.backend.holding = True
    node.submit()
    for wait in node.blk.drained_begin(node.thread, poll=True):
        if wait is not None and not wait():
            node.backend.release()
            node.turn()
    assert [event.value for event in of_kind(node.ring, DRAIN_RET)] == [0]


def test_a_nopoll_drain_does_not_wait(node: Node) -> None:
    node.backend.holding = True
    node.submit()
    node.begin(poll=False)
    (ret,) = of_kind(node.ring, DRAIN_RET)
    assert (ret.flag, ret.value) == (0, 1)


def test_a_drain_waits_for_a_busy_device(node: Node) -> None:
    node.device.busy = True
    with pytest.raises(Waits):
        node.begin()


def test_a_request_in_a_drain_is_parked_and_not_counted(node: Node) -> None:
    node.begin()
    node.submit()
    assert (node.blk.in_flight, len(node.blk.parked)) == (0, 1)
    assert of_kind(node.ring, SUBMIT) == []
    node.begin()  # no drain waits for it
    run(node.blk.drain(node.thread))


def test_a_parked_request_goes_on_after_the_last_end(node: Node) -> None:
    node.begin()
    node.begin()
    node.submit()
    node.end()
    node.turn()
    assert of_kind(node.ring, UNPARK) == []
    node.end()
    node.turn()
    recorded = [kind for kind in kinds(node.ring) if kind in (PARK, UNPARK, SUBMIT)]
    assert recorded == [PARK, UNPARK, SUBMIT]
    assert (node.blk.in_flight, node.blk.parked) == (0, [])
    assert node.device.log == ["begin", "end", "complete 1"]


def test_a_woken_request_counts_at_once(node: Node) -> None:
    node.begin()
    node.submit()
    node.end()
    assert node.blk.in_flight == 1
    with pytest.raises(Waits):
        node.begin()


def test_a_woken_request_parks_again_in_a_new_drain(node: Node) -> None:
    node.begin()
    node.submit()
    node.end()
    node.begin(poll=False)
    node.turn()
    assert of_kind(node.ring, SUBMIT) == []
    assert (node.blk.in_flight, len(node.blk.parked)) == (0, 1)
    node.end()
    node.turn()
    assert len(of_kind(node.ring, SUBMIT)) == 1


def test_the_seed_counts_a_woken_request_late_and_lets_it_through() -> None:
    """B7: a drain that begins in between does not wait for it."""
    node = Node(Qemu81BlockBackend)
    node.begin()
    node.submit()
    node.end()
    node.begin()
    node.turn()
    assert len(of_kind(node.ring, SUBMIT)) == 1


def test_a_resubmitted_request_is_counted_and_passes_the_gate(node: Node) -> None:
    node.blk.resubmit(node.request())
    assert node.blk.in_flight == 1
    node.begin(poll=False)
    node.turn()
    assert (node.blk.in_flight, len(node.blk.parked)) == (0, 1)


def test_cancelling_takes_one_queue_or_all(node: Node) -> None:
    node.begin()
    first, second, third = node.submit(0), node.submit(1), node.submit(0)
    assert node.blk.cancel_parked(node.queues[0]) == [first, third]
    assert node.blk.parked == [second]
    assert node.blk.cancel_parked() == [second]
    assert node.blk.cancel_parked() == []


def test_moving_drains_and_stays_when_it_is_there(node: Node) -> None:
    run(node.blk.set_aio_context(node.thread, node.main))
    assert node.device.log == []
    run(node.blk.set_aio_context(node.thread, node.iothread))
    assert (node.device.log, node.blk.context) == (["begin", "end"], node.iothread)


def test_a_drain_releases_its_lock_while_it_waits() -> None:
    node = Node(Qemu81BlockBackend)
    node.backend.holding = True
    node.submit()
    owners: list[object] = []
    for wait in node.blk.drained_begin(node.thread, poll=True):
        owners.append(node.main.lock.owner)
        if wait is not None and not wait():
            node.backend.release()
            node.turn()
    assert owners[0] is node.thread
    assert None in owners
    assert node.main.lock.is_free()


def test_a_move_releases_the_lock_of_the_old_context() -> None:
    node = Node(Qemu81BlockBackend)
    run(node.blk.set_aio_context(node.thread, node.iothread))
    assert node.main.lock.is_free()
    assert node.iothread.lock.is_free()


def test_an_error_is_an_end_too(node: Node) -> None:
    node.backend.holding = True
    request = node.submit()
    node.backend.complete("all", IoResult.EIO)
    node.turn()
    assert (request.result, node.blk.in_flight) == (IoResult.EIO, 0)
