"""Which features the port negotiates with a back-end: what the driver accepted, and no others."""

from __future__ import annotations

import pytest

from tests.targets.vhost.fake_backend import OFFERED
from tests.targets.vhost.ported import Ported
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.targets.vhost.message import unpack_u64
from vblkfuzz.targets.vhost.port import TOLD_BY_EVENT_IDX
from vblkfuzz.virtio.layout import F_EVENT_IDX, F_VERSION_1
from vblkfuzz.virtio.vhost_user import F_PROTOCOL_FEATURES, Request

VERSION_1, EVENT_IDX = 1 << F_VERSION_1, 1 << F_EVENT_IDX


@pytest.mark.parametrize(
    ("driver", "always", "expected"),
    [
        (VERSION_1 | EVENT_IDX, VERSION_1, VERSION_1 | EVENT_IDX),
        (VERSION_1, VERSION_1, VERSION_1),
        (0, VERSION_1, VERSION_1),
        (VERSION_1, TOLD_BY_EVENT_IDX, VERSION_1 | EVENT_IDX),
    ],
)
def test_what_a_driver_declines_is_not_negotiated(driver: int, always: int, expected: int) -> None:
    """But where avail_event tells the dequeues: without it nobody would see them."""
    ported = Ported(DeviceConfig(), always)
    ported.port.accept_features(driver)
    ported.start()
    ported.wait()
    sent = [each.payload for each in ported.first.seen if each.request == Request.SET_FEATURES]
    ported.close()
    assert [unpack_u64(each) & OFFERED for each in sent] == [expected | 1 << F_PROTOCOL_FEATURES]
