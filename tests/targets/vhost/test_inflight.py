"""The inflight area: what the front-end asks for, and which answers it refuses."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.targets.vhost.fake_backend import Answer, FakeBackend
from vblkfuzz.targets.vhost.connection import Connection
from vblkfuzz.targets.vhost.fault import MalformedReply
from vblkfuzz.targets.vhost.frontend import Frontend
from vblkfuzz.targets.vhost.inflight import Inflight, InflightArea
from vblkfuzz.targets.vhost.message import pack_u64
from vblkfuzz.virtio.vhost_user import ProtocolFeature, Request

AREA = InflightArea(4096, 512, 2, 128)


def offers(features: int) -> Answer:
    return lambda _: pack_u64(features)


@pytest.fixture
def backend() -> Iterator[FakeBackend]:
    backend = FakeBackend(
        {
            Request.GET_PROTOCOL_FEATURES: offers(ProtocolFeature.INFLIGHT_SHMFD),
            Request.GET_INFLIGHT_FD: lambda _: AREA.pack(),
        }
    )
    yield backend
    backend.close()


@pytest.fixture
def frontend(backend: FakeBackend) -> Frontend:
    frontend = Frontend(Connection(backend.client))
    frontend.greet()
    return frontend


def test_an_area_has_the_size_of_the_structure_in_c() -> None:
    assert len(AREA.pack()) == 24
    assert InflightArea.unpack(AREA.pack()) == AREA
    with pytest.raises(MalformedReply, match="expected 24 bytes, found 20"):
        InflightArea.unpack(AREA.pack()[:20])


def test_it_is_used_if_it_is_offered(frontend: Frontend) -> None:
    assert frontend.tracks_inflight
    other = FakeBackend()
    plain = Frontend(Connection(other.client))
    plain.greet()
    assert not plain.tracks_inflight
    other.close()


def test_an_answer_without_a_file(backend: FakeBackend, frontend: Frontend) -> None:
    with pytest.raises(MalformedReply, match="GET_INFLIGHT_FD: expected a file, found 0"):
        frontend.get_inflight(2, 128)
    asked = [seen.payload for seen in backend.seen if seen.request == Request.GET_INFLIGHT_FD]
    assert asked == [InflightArea(0, 0, 2, 128).pack()]


def test_the_area_is_handed_over_with_its_file(backend: FakeBackend, frontend: Frontend) -> None:
    inflight = Inflight(AREA, os.memfd_create("inflight"))
    frontend.set_inflight(inflight)
    frontend.round_trip()
    inflight.close()
    (seen,) = [seen for seen in backend.seen if seen.request == Request.SET_INFLIGHT_FD]
    assert (seen.payload, seen.fds) == (AREA.pack(), 1)
