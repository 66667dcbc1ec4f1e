"""The front-end against a fake back-end: the messages it sends, the answers it refuses."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.targets.vhost.fake_backend import OFFERED, FakeBackend
from vblkfuzz.targets.vhost.connection import Connection
from vblkfuzz.targets.vhost.fault import (
    BackendGone,
    BackendSilent,
    FeatureMissing,
    MalformedReply,
    Refused,
)
from vblkfuzz.targets.vhost.frontend import Frontend, QueueFds
from vblkfuzz.targets.vhost.memory_table import FRONTEND_BASE, SharedMemory
from vblkfuzz.targets.vhost.message import (
    FLAG_REPLY,
    HEADER,
    VERSION,
    ConfigRange,
    VringAddresses,
    VringState,
    pack_u64,
)
from vblkfuzz.virtio.layout import RingLayout
from vblkfuzz.virtio.vhost_user import ProtocolFeature, Request

LAYOUT = RingLayout.place(8, 4096)


@pytest.fixture
def backend() -> Iterator[FakeBackend]:
    backend = FakeBackend()
    yield backend
    backend.close()


def greeted(backend: FakeBackend, limit_s: float = 5.0) -> Frontend:
    frontend = Frontend(Connection(backend.client, limit_s))
    frontend.greet()
    return frontend


def test_only_wanted_protocol_features_are_accepted(backend: FakeBackend) -> None:
    frontend = greeted(backend)
    assert frontend.offered == OFFERED
    assert frontend.max_queues == 4
    wanted = ProtocolFeature.MQ | ProtocolFeature.REPLY_ACK | ProtocolFeature.CONFIG
    assert frontend.protocol == wanted
    accepted = [each for each in backend.seen if each.request == Request.SET_PROTOCOL_FEATURES]
    assert accepted[0].payload == pack_u64(wanted)


def test_a_queue_is_started_as_a_vmm_does(backend: FakeBackend) -> None:
    frontend = greeted(backend)
    frontend.accept(1 << 32)
    shared = SharedMemory()
    frontend.share_memory(shared)
    fds = QueueFds(*(os.eventfd(0) for _ in range(3)))
    frontend.start_queue(2, LAYOUT, 5, fds)
    frontend.round_trip()
    sent = {each.request: each for each in backend.seen}
    assert sent[Request.SET_MEM_TABLE].fds == 1
    assert VringState.unpack(sent[Request.SET_VRING_NUM].payload) == (2, 8)
    assert VringState.unpack(sent[Request.SET_VRING_BASE].payload) == (2, 5)
    assert VringAddresses.unpack(sent[Request.SET_VRING_ADDR].payload) == (
        2,
        FRONTEND_BASE + LAYOUT.desc,
        FRONTEND_BASE + LAYOUT.used,
        FRONTEND_BASE + LAYOUT.avail,
    )
    for request in (Request.SET_VRING_KICK, Request.SET_VRING_CALL, Request.SET_VRING_ERR):
        assert sent[request].fds == 1
    assert VringState.unpack(sent[Request.SET_VRING_ENABLE].payload) == (2, 1)
    assert frontend.stop_queue(2) == 7
    for fd in fds:
        os.close(fd)
    shared.close()


def test_a_kick_by_message_has_no_answer(backend: FakeBackend) -> None:
    frontend = greeted(backend)
    frontend.kick(3)
    frontend.round_trip()
    assert backend.seen[-2].request == Request.VRING_KICK
    assert VringState.unpack(backend.seen[-2].payload) == (3, 0)


def test_config(backend: FakeBackend) -> None:
    frontend = greeted(backend)
    assert frontend.read_config(8, 4) == bytes(4)
    frontend.write_config(32, b"\1")
    assert ConfigRange.unpack(backend.seen[-1].payload) == (32, b"\1")


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        (Request.GET_FEATURES, b"short"),
        (Request.GET_PROTOCOL_FEATURES, bytes(9)),
        (Request.GET_QUEUE_NUM, b""),
    ],
)
def test_answers_of_a_wrong_length(request_: Request, answer: bytes) -> None:
    backend = FakeBackend({request_: lambda _: answer})
    with pytest.raises(MalformedReply, match="expected 8 bytes"):
        greeted(backend)
    backend.close()


def test_the_base_of_another_queue() -> None:
    backend = FakeBackend({Request.GET_VRING_BASE: lambda _: VringState(3, 0).pack()})
    with pytest.raises(MalformedReply, match="expected queue 1, found 3"):
        greeted(backend).stop_queue(1)
    backend.close()


def test_another_part_of_the_configuration() -> None:
    backend = FakeBackend({Request.GET_CONFIG: lambda _: ConfigRange(0, b"ab").pack()})
    with pytest.raises(MalformedReply, match="expected 4 bytes at 8"):
        greeted(backend).read_config(8, 4)
    backend.close()


def test_an_answer_to_something_else(backend: FakeBackend) -> None:
    frontend = greeted(backend)
    backend.raw_answer = HEADER.pack(Request.GET_CONFIG, VERSION | FLAG_REPLY, 8) + bytes(8)
    with pytest.raises(MalformedReply, match="expected GET_FEATURES"):
        frontend.round_trip()


def test_a_legacy_device() -> None:
    backend = FakeBackend({Request.GET_FEATURES: lambda _: pack_u64(1)})
    with pytest.raises(FeatureMissing, match="VERSION_1"):
        greeted(backend)
    backend.close()


def test_without_protocol_features_nothing_is_asked_of_them() -> None:
    backend = FakeBackend({Request.GET_FEATURES: lambda _: pack_u64(1 << 32)})
    frontend = greeted(backend)
    assert not frontend.has_config
    with pytest.raises(FeatureMissing, match="CONFIG"):
        frontend.read_config(0, 8)
    shared = SharedMemory()
    frontend.share_memory(shared)
    assert backend.requests()[-2:] == [Request.SET_MEM_TABLE, Request.GET_FEATURES]
    shared.close()
    backend.close()


def test_a_refusal() -> None:
    backend = FakeBackend({Request.SET_MEM_TABLE: lambda _: pack_u64(1)})
    shared = SharedMemory()
    with pytest.raises(Refused, match="SET_MEM_TABLE"):
        greeted(backend).share_memory(shared)
    shared.close()
    backend.close()


def test_a_back_end_that_closes_the_connection() -> None:
    backend = FakeBackend({Request.GET_VRING_BASE: lambda _: None})
    frontend = greeted(backend)
    with pytest.raises(BackendGone):
        frontend.stop_queue(0)
    assert frontend.connection.is_closed()
    with pytest.raises(BackendGone):
        for _ in range(3):  # the first may still go into the socket's buffer
            frontend.kick(0)
    backend.close()


def test_a_silent_back_end_costs_the_time_limit_and_no_more(backend: FakeBackend) -> None:
    frontend = greeted(backend, limit_s=0.05)
    backend.silent = True
    with pytest.raises(BackendSilent, match=r"within 0\.05 s"):
        frontend.round_trip()


def test_guest_memory_keeps_its_size() -> None:
    shared = SharedMemory(8192)
    with pytest.raises(OSError, match="not permitted"):
        os.ftruncate(shared.fd, 4096)
    shared.close()
