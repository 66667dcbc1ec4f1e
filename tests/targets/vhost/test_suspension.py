"""Save and restore of a back-end: what the port sends, and what the rig's side records."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest

from tests.targets.vhost.fake_backend import FakeBackend
from tests.targets.vhost.ported import Ported
from vblkfuzz.errors import DeviceLost
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.targets.recorder import Recorder
from vblkfuzz.targets.vhost.fault import BackendGone
from vblkfuzz.targets.vhost.link import Link
from vblkfuzz.targets.vhost.memory_table import SharedMemory
from vblkfuzz.targets.vhost.message import ConfigRange, VringState
from vblkfuzz.targets.vhost.suspension import Suspension
from vblkfuzz.trace.kinds import RESTORED, SAVED, VM_CONT, VM_STOP_CALL, VM_STOP_RET
from vblkfuzz.trace.witness import Witness
from vblkfuzz.virtio.layout import STATUS_DRIVER, STATUS_DRIVER_OK
from vblkfuzz.virtio.request.blk import WRITEBACK_AT
from vblkfuzz.virtio.vhost_user import Request

TWO = DeviceConfig(queues=2)
BASE = 7
"""What the fake back-end answers to GET_VRING_BASE."""


@pytest.fixture
def ported() -> Iterator[Ported]:
    ported = Ported(TWO)
    yield ported
    ported.close()


def sent(backend: FakeBackend, request: Request) -> list[bytes]:
    return [seen.payload for seen in backend.seen if seen.request == request]


def test_a_save_asks_for_the_base_of_each_queue(ported: Ported) -> None:
    ported.start()
    ported.port.save()
    asked = [VringState.unpack(each) for each in sent(ported.first, Request.GET_VRING_BASE)]
    assert [state.queue for state in asked] == [0, 1]


def test_a_restore_goes_on_at_the_bases_with_what_was_negotiated(ported: Ported) -> None:
    ported.start()
    ported.port.save()
    ported.restore()
    for request in (Request.SET_FEATURES, Request.SET_MEM_TABLE, Request.SET_VRING_ADDR):
        assert sent(ported.second, request) == sent(ported.first, request) != []
    bases = [VringState.unpack(each) for each in sent(ported.second, Request.SET_VRING_BASE)]
    assert bases == [VringState(0, BASE), VringState(1, BASE)]
    assert len(sent(ported.second, Request.SET_VRING_ENABLE)) == TWO.queues


def test_the_rings_are_kicked_and_a_pending_call_stays(ported: Ported) -> None:
    """A back-end starts a ring when it is kicked: the driver may never kick again."""
    ported.start()
    os.eventfd_write(ported.fds(1).call, 1)
    ported.port.save()
    ported.restore()
    for queue in range(TWO.queues):
        assert os.eventfd_read(ported.fds(queue).kick) == 1
    assert not ported.port.take_call(0)
    assert ported.port.take_call(1)


def test_a_device_without_driver_ok_is_restored_without_queues(ported: Ported) -> None:
    ported.start(STATUS_DRIVER)
    ported.port.save()
    ported.restore()
    assert not sent(ported.first, Request.GET_VRING_BASE)
    assert not sent(ported.second, Request.SET_VRING_BASE)
    list(ported.port.write_status(STATUS_DRIVER | STATUS_DRIVER_OK))
    ported.wait()
    bases = [VringState.unpack(each) for each in sent(ported.second, Request.SET_VRING_BASE)]
    assert bases == [VringState(0, TWO.first_index), VringState(1, TWO.first_index)]


def test_the_cache_mode_that_the_driver_chose_is_kept(ported: Ported) -> None:
    ported.start()
    list(ported.port.set_writeback(1))
    ported.port.save()
    ported.restore()
    (written,) = sent(ported.second, Request.SET_CONFIG)
    assert ConfigRange.unpack(written) == ConfigRange(WRITEBACK_AT, b"\1")


def test_a_device_that_was_broken_stays_so(ported: Ported) -> None:
    ported.start()
    ported.port.note_gone()
    ported.port.save()
    ported.restore()
    assert not ported.link.works
    assert not ported.second.seen


def test_a_back_end_that_hangs_up_at_a_restore_breaks_the_device(ported: Ported) -> None:
    ported.start()
    ported.port.save()
    near, far = socket.socketpair()
    far.close()
    ported.port.restore([near.detach()])
    assert not ported.link.works


class Recorded:
    """A suspension whose records are read."""

    def __init__(self) -> None:
        self.shared, self.link = SharedMemory(), Link()
        self.recorder = Recorder(self.shared.memory, TWO, exact_pops=False)
        self.recorder.operation(0, 0)
        self.peers = socket.socketpair()
        self.refuses = False
        self.suspension = Suspension(self.link, self._connect, list)

    def _connect(self) -> socket.socket:
        if self.refuses:
            raise BackendGone("no process listens")
        return self.peers[0]

    def kinds(self) -> list[int]:
        return [event.kind for event in self.recorder.trace(Witness.GUEST).events][1:]

    def save(self) -> None:
        handover = self.suspension.save(self.recorder)
        assert handover is not None
        assert handover.connections is None
        assert not self.suspension.saved, "a save that waits cannot be restored yet"
        handover.done()

    def close(self) -> None:
        self.link.close()
        self.shared.close()
        for peer in self.peers:
            peer.close()


@pytest.fixture
def recorded() -> Iterator[Recorded]:
    recorded = Recorded()
    yield recorded
    recorded.close()


def test_a_save_stops_the_vm_and_a_restore_runs_it(recorded: Recorded) -> None:
    recorded.link.tell(True)
    recorded.save()
    assert recorded.suspension.saved
    assert recorded.kinds() == [VM_STOP_CALL, VM_STOP_RET, SAVED]
    unfinished = recorded.suspension.unfinished()
    assert unfinished is not None
    assert unfinished.name == "restore"
    number = recorded.peers[0].fileno()
    handover = recorded.suspension.restore(recorded.recorder)
    assert handover is not None
    assert handover.connections == (number,)
    assert recorded.kinds()[3:] == [RESTORED, VM_CONT]
    assert recorded.suspension.unfinished() is None


def test_a_second_save_and_a_lone_restore_do_nothing(recorded: Recorded) -> None:
    assert recorded.suspension.restore(recorded.recorder) is None
    recorded.save()
    before = recorded.kinds()
    assert recorded.suspension.save(recorded.recorder) is None
    assert recorded.kinds() == before


def test_a_broken_device_gets_no_connection(recorded: Recorded) -> None:
    recorded.link.tell(False)
    recorded.save()
    handover = recorded.suspension.restore(recorded.recorder)
    assert handover is not None
    assert handover.connections == ()


def test_a_back_end_that_is_gone(recorded: Recorded) -> None:
    recorded.link.tell(True)
    recorded.save()
    recorded.refuses = True
    with pytest.raises(DeviceLost, match="no process listens"):
        recorded.suspension.restore(recorded.recorder)
