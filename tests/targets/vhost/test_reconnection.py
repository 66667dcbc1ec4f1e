"""A new connection in place of the old one: what the port sends, what the rig's side records."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from tests.targets.vhost.ported import Ported, requests
from vblkfuzz.errors import DeviceLost
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.targets.recorder import Recorder
from vblkfuzz.targets.vhost.fault import BackendGone
from vblkfuzz.targets.vhost.memory_table import SharedMemory
from vblkfuzz.targets.vhost.reconnection import Reconnection
from vblkfuzz.trace.event import path_names
from vblkfuzz.trace.kinds import RESET_CALL, RESET_RET
from vblkfuzz.trace.witness import Witness
from vblkfuzz.virtio.vhost_user import Request

DEVICE = DeviceConfig()
UNPLUG = 2


@pytest.fixture
def ported() -> Iterator[Ported]:
    ported = Ported(DEVICE)
    yield ported
    ported.close()


def test_the_old_connection_is_closed_without_a_word(ported: Ported) -> None:
    ported.start()
    ported.replace()
    assert Request.GET_VRING_BASE not in requests(ported.first)


def test_the_new_device_is_greeted_and_not_started(ported: Ported) -> None:
    ported.start()
    ported.replace()
    assert Request.GET_FEATURES in requests(ported.second)
    assert Request.SET_VRING_KICK not in requests(ported.second)
    assert ported.port.read_status() == 0
    assert not ported.port.queue_enabled(0)
    assert ported.link.works


def test_the_driver_sets_the_new_device_up(ported: Ported) -> None:
    ported.start()
    ported.replace()
    ported.start()
    ported.wait()
    assert requests(ported.second).count(Request.SET_MEM_TABLE) == 1
    assert requests(ported.second).count(Request.SET_VRING_KICK) == 1


def test_without_a_connection_there_is_no_device(ported: Ported) -> None:
    ported.start()
    ported.port.replace([])
    assert not ported.link.works
    assert ported.port.capacity() == 0


def test_a_connection_that_has_ended_is_lost_until_a_reset(ported: Ported) -> None:
    assert not ported.port.is_lost()
    ported.first._socket.shutdown(socket.SHUT_RDWR)
    assert ported.port.is_lost()
    ported.link.offer(ported.second.client.dup())
    assert ported.port.is_lost()
    list(ported.port.write_status(0))
    assert not ported.port.is_lost()


def recorder(shared: SharedMemory) -> Recorder:
    return Recorder(shared.memory, DEVICE, exact_pops=False)


def test_the_unplug_is_recorded_when_the_new_connection_has_answered(ported: Ported) -> None:
    trace, steps = recorder(ported.shared), []
    near, far = socket.socketpair()
    ported.link.watch(ported.first.client.dup())
    reconnection = Reconnection(ported.link, lambda: near, lambda: ())
    closing = reconnection.begin(trace, lambda: steps.append("closed"))
    assert (list(closing.connections or ()), closing.new, steps) == ([], True, [])
    opening = closing.done()
    assert opening is not None
    assert (list(opening.connections or ()), steps) == ([near.fileno()], ["closed"])
    assert opening.done() is None
    far.close()
    events = trace.trace(Witness(0)).events
    assert [(each.kind, each.flag) for each in events] == [(RESET_CALL, UNPLUG), (RESET_RET, 0)]
    assert path_names(events[1].path) == "replug"


def test_a_back_end_that_is_gone_is_lost(ported: Ported) -> None:
    def refused() -> socket.socket:
        raise BackendGone("no process listens")

    closing = Reconnection(ported.link, refused, lambda: ()).begin(recorder(ported.shared))
    with pytest.raises(DeviceLost, match="no process listens"):
        closing.done()
