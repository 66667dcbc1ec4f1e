"""The status register, and the registers that the device reads when the driver writes it."""

from __future__ import annotations

import pytest

from tests.dataplane.rig import DRIVER, DRIVER_OK, FEATURES_OK, Rig
from vblkfuzz.dataplane.registers import DESC, STATUS
from vblkfuzz.process.execution import SharedParts
from vblkfuzz.trace import kinds
from vblkfuzz.trace.kinds import (
    BROKEN,
    CONFIG_IRQ,
)
from vblkfuzz.virtio.layout import STATUS_NEEDS_RESET
from vblkfuzz.virtio.ring_error import RingMisaligned, RingSizeInvalid


def test_status_is_what_was_written(parts: SharedParts) -> None:
    rig = Rig(parts)
    for value in (DRIVER, FEATURES_OK, DRIVER_OK):
        rig.write_status(value)
        assert parts.board.registers.words[STATUS] == value
    recorded = [event.value for event in rig.events(kinds.STATUS)]
    assert recorded == [DRIVER, FEATURES_OK, DRIVER_OK]


def test_features_count_with_features_ok(parts: SharedParts) -> None:
    rig = Rig(parts)
    parts.board.registers.features = 5
    rig.write_status(DRIVER)
    assert rig.device.features == 0
    rig.write_status(FEATURES_OK)
    parts.board.registers.features = 7
    rig.write_status(FEATURES_OK)
    assert rig.device.features == 5


@pytest.mark.parametrize(
    ("register", "code"), [(0, RingSizeInvalid.code), (DESC, RingMisaligned.code)]
)
def test_a_bad_ring_breaks_the_device(parts: SharedParts, register: int, code: int) -> None:
    rig = Rig(parts)
    rig.init(FEATURES_OK)
    rig.write_status(0)
    rig.make_rings()
    parts.board.registers.set_queue(0, register, 7)
    rig.write_status(DRIVER_OK)
    assert [event.value for event in rig.events(BROKEN)] == [code]


@pytest.mark.parametrize(("status", "told"), [(DRIVER_OK, 1), (FEATURES_OK, 0)])
def test_a_driver_that_is_there_is_told_of_a_broken_device(
    parts: SharedParts, status: int, told: int
) -> None:
    rig = Rig(parts)
    rig.make_rings()
    rig.write_status(status)
    rig.device.virtio_error(rig.machine.vcpu, RingSizeInvalid())
    assert parts.board.registers.words[STATUS] == status | STATUS_NEEDS_RESET
    assert [event.kind for event in rig.events(BROKEN, CONFIG_IRQ)] == [BROKEN, CONFIG_IRQ][
        : 1 + told
    ]


def test_only_the_first_error_is_recorded(parts: SharedParts) -> None:
    rig = Rig(parts, queues=2)
    rig.make_rings()
    for index in range(2):
        parts.board.registers.set_queue(index, DESC, 7)
    rig.write_status(DRIVER)
    assert rig.count(BROKEN) == 1


def test_an_attach_asks_for_kicks_again(parts: SharedParts) -> None:
    """B4: it was detached while polling, and a detach does not call `poll_end`."""
    rig = Rig(parts, polling=True)
    rig.init()
    rig.send()
    rig.perform("drain_begin")
    rig.perform("poll_off")
    rig.perform("drain_end")
    assert rig.device.ports[0].queue.notification
