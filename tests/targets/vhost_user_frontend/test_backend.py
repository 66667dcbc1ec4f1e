"""The back-end alone, with the front-end of target `vhost-user` at its other end."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest

from vblkfuzz.errors import ActorDied, HarnessError
from vblkfuzz.targets.vhost.connection import Connection
from vblkfuzz.targets.vhost.frontend import Frontend, QueueFds
from vblkfuzz.targets.vhost.memory_table import SharedMemory
from vblkfuzz.targets.vhost_user_frontend.disk import FORMS
from vblkfuzz.targets.vhost_user_frontend.log import Log, Told
from vblkfuzz.targets.vhost_user_frontend.process import BackendProcess
from vblkfuzz.targets.vhost_user_frontend.server import Order
from vblkfuzz.trace.kinds import POP
from vblkfuzz.trace.vhost_kinds import VHOST_CONNECTION, VHOST_MESSAGE
from vblkfuzz.virtio.layout import RingLayout
from vblkfuzz.virtio.request.blk import REQUEST_HEADER, RequestType
from vblkfuzz.virtio.split.driver_queue import DriverQueue
from vblkfuzz.virtio.vhost_user import Request

MACHINE = FORMS.index((64, False))
LAYOUT = RingLayout.place(8, 0)
HEADER, DATA, STATUS = 0x2000, 0x3000, 0x4000


@pytest.fixture
def shared() -> Iterator[SharedMemory]:
    memory = SharedMemory()
    yield memory
    memory.close()


class Guest:
    """One connection, with a ring on it."""

    def __init__(
        self, backend: BackendProcess, shared: SharedMemory, queue: DriverQueue | None = None
    ) -> None:
        self.memory = shared.memory
        ours, theirs = socket.socketpair()
        with theirs:
            backend.order(Order.ADOPT, MACHINE, fds=(theirs.fileno(),))
        self.line = Connection(ours)
        self.frontend = Frontend(self.line)
        self.frontend.greet()
        self.frontend.accept(self.frontend.offered)
        self.frontend.share_memory(shared)
        self.fds = QueueFds(*(os.eventfd(0, os.EFD_NONBLOCK) for _ in range(3)))
        self.queue = queue or DriverQueue(shared.memory, LAYOUT, event_idx=False)

    def start(self, base: int = 0) -> None:
        self.frontend.start_queue(0, LAYOUT, base, self.fds)
        self.line.ask(Request.GET_FEATURES)

    def read(self, sector: int = 0) -> None:
        self.memory.write(HEADER, REQUEST_HEADER.pack(RequestType.IN, 0, sector))
        self.memory.write(DATA, b"\xee" * 512)
        head = self.queue.add([(HEADER, 16)], [(DATA, 512), (STATUS, 1)])
        self.queue.publish_raw(head)
        os.eventfd_write(self.fds.kick, 1)

    def close(self) -> None:
        self.line.close()
        for fd in self.fds:
            os.close(fd)


def test_a_request_is_answered_and_told(backend: BackendProcess, shared: SharedMemory) -> None:
    guest = Guest(backend, shared)
    guest.start()
    guest.read()
    backend.order(Order.SYNC)
    assert guest.queue.get_used() is not None
    assert shared.memory.read(DATA, 512) == bytes(512)
    assert os.eventfd_read(guest.fds.call) == 1
    told = backend.log.take()
    assert [one for one in told if one.kind == POP] == [Told(POP, 0)]
    words = [one.flag for one in told if one.kind == VHOST_MESSAGE]
    assert words.index(Request.SET_OWNER) < words.index(Request.SET_MEM_TABLE)
    assert backend.log.is_greeted(MACHINE)
    guest.close()


def test_the_next_session_submits_what_was_in_flight(
    backend: BackendProcess, shared: SharedMemory
) -> None:
    first = Guest(backend, shared)
    inflight = first.frontend.get_inflight(1, 8)
    first.frontend.set_inflight(inflight)
    first.start()
    backend.order(Order.HOLD)
    first.read()
    backend.order(Order.CUT)
    assert first.queue.get_used() is None
    assert not backend.log.is_connected(MACHINE)
    second = Guest(backend, shared, first.queue)
    second.frontend.set_inflight(inflight)
    second.start()
    assert first.queue.get_used() is None
    backend.order(Order.RELEASE)
    assert first.queue.get_used() is not None
    told = [one for one in backend.log.take() if one.kind in (POP, VHOST_CONNECTION)]
    assert [one.kind for one in told] == [VHOST_CONNECTION, POP, *[VHOST_CONNECTION] * 2]
    for guest in (first, second):
        guest.close()
    inflight.close()


def test_a_request_fails_if_the_scenario_says_so(
    backend: BackendProcess, shared: SharedMemory
) -> None:
    guest = Guest(backend, shared)
    guest.start()
    backend.order(Order.HOLD)
    guest.read()
    backend.order(Order.END, 0, 1)
    assert guest.queue.get_used() is not None
    assert shared.memory.read(STATUS, 1) == b"\1"
    guest.close()


def test_it_ends_instead_of_an_answer(backend: BackendProcess) -> None:
    backend.order(Order.FAIL, Request.GET_QUEUE_NUM)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        backend.order(Order.ADOPT, MACHINE, fds=(theirs.fileno(),))
        theirs.close()
        with pytest.raises(ConnectionError):
            Frontend(Connection(ours)).greet()
    backend.order(Order.SYNC)
    assert not backend.log.is_connected(MACHINE)


def test_a_dead_back_end_is_a_harness_fault(backend: BackendProcess) -> None:
    os.kill(backend.pid, 9)
    with pytest.raises(ActorDied):
        backend.order(Order.SYNC)
    os.waitid(os.P_PID, backend.pid, os.WEXITED | os.WNOWAIT)
    assert not backend.lives


def test_too_much_is_a_harness_fault() -> None:
    log = Log()
    for _ in range(1 << 17):
        log.tell(Told(POP, 0))
    with pytest.raises(HarnessError, match="records"):
        log.take()
