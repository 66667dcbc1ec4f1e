from __future__ import annotations

import pytest

from tests.driver.lone_guest import Guest, ready
from vblkfuzz.driver.features import accepted
from vblkfuzz.scenario.alphabet.guest import DECLINES
from vblkfuzz.trace.kinds import FEATURES
from vblkfuzz.virtio.features import FEATURES as BITS
from vblkfuzz.virtio.features import device_side
from vblkfuzz.virtio.layout import F_RING_RESET, F_VERSION_1
from vblkfuzz.virtio.request.blk import F_CONFIG_WCE, F_FLUSH, F_MQ

ALL = device_side(queues=2, event_idx=True, indirect=True, read_only=True)


def test_what_is_offered_is_accepted() -> None:
    assert accepted(ALL, DECLINES.index("nothing")) == ALL
    assert accepted(1 << F_FLUSH, DECLINES.index("nothing")) == 1 << F_FLUSH


@pytest.mark.parametrize("name", BITS)
def test_each_feature_can_be_declined(name: str) -> None:
    assert accepted(ALL, DECLINES.index(name)) == ALL & ~(1 << BITS[name])
    assert ALL >> BITS[name] & 1


def test_both_features_of_the_write_cache_can_be_declined() -> None:
    cache = 1 << F_FLUSH | 1 << F_CONFIG_WCE
    assert accepted(ALL, DECLINES.index("write_cache")) == ALL & ~cache


def test_the_version_cannot_be_declined() -> None:
    assert all(accepted(ALL, code) >> F_VERSION_1 & 1 for code in range(len(DECLINES)))


def test_the_driver_says_what_was_offered_and_what_it_accepted() -> None:
    guest = Guest()
    offered = guest.transport.device_features()
    guest.do("init", decline="flush")
    assert guest.transport.accepted == offered & ~(1 << F_FLUSH)
    (event,) = guest.events(FEATURES)
    assert event.head == offered & 0xFFFF
    assert event.length == offered >> 16
    assert event.value == offered & 0xFFFF & ~(1 << F_FLUSH)
    assert event.flag == 1


def test_a_driver_without_features_says_so() -> None:
    guest = Guest()
    guest.do("init", how="no_features")
    assert guest.transport.accepted is None
    (event,) = guest.events(FEATURES)
    assert (event.flag, event.value) == (0, 0)
    assert event.head >> F_FLUSH & 1


@pytest.mark.parametrize("how", [{"decline": "mq"}, {"how": "no_features"}])
def test_without_mq_there_is_one_queue(how: dict[str, str]) -> None:
    guest = Guest(queues=2)
    guest.do("init", **how)
    assert list(guest.transport.layouts) == [0]
    guest.do("kick", queue=1)
    guest.do("inband_kick", queue=1)
    assert guest.transport.log[-1] == "kick inband 0"
    guest.do("init")
    assert sorted(guest.transport.layouts) == [0, 1]
    assert guest.events(FEATURES)[-1].value >> F_MQ & 1


def test_a_queue_is_reset_only_with_ring_reset() -> None:
    guest = ready()
    guest.do("queue_reset")
    guest.do("init", decline="ring_reset")
    guest.do("queue_reset")
    assert guest.transport.log.count("reset 0") == 1
    assert [event.flag for event in guest.events(FEATURES)] == [1, 0]
    assert not (guest.transport.accepted or 0) >> F_RING_RESET & 1
