"""Serials of host notifiers: each opening has a new one, and an ATTACH event records it."""

from __future__ import annotations

from tests.dataplane.rig import Rig
from vblkfuzz.process.execution import SharedParts
from vblkfuzz.trace.kinds import ATTACH, NOTIFIER_OPEN


def test_each_opening_has_a_serial_of_its_own(parts: SharedParts) -> None:
    for _ in range(2):  # the second execution counts anew
        rig = Rig(parts, queues=2)
        rig.init()
        rig.perform("stop")
        rig.perform("cont")
        for kind in (NOTIFIER_OPEN, ATTACH):
            assert [event.head for event in rig.events(kind)] == [1, 2, 3, 4]


def test_a_queue_that_was_never_opened_is_attached_with_serial_0(parts: SharedParts) -> None:
    rig = Rig(parts)
    rig.init()
    rig.perform("stop")
    rig = Rig(parts)
    rig.run(rig.device.attach(rig.machine.vcpu, rig.device.ports[0]))
    assert [event.head for event in rig.events(ATTACH)] == [0]
