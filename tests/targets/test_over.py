"""When a device has nothing left to do, as its rings show."""

from __future__ import annotations

import pytest

from vblkfuzz.driver.memory_map import ring_layout
from vblkfuzz.driver.published import Published
from vblkfuzz.limits import GUEST_MEMORY_SIZE
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.targets.recorder import Recorder
from vblkfuzz.trace.event import ActorId, Event
from vblkfuzz.trace.kinds import DRIVER_INIT, FEATURES, PUBLISH
from vblkfuzz.virtio.layout import USED_F_NO_NOTIFY
from vblkfuzz.virtio.memory import GuestMemory

SET_UP = (Event(1, FEATURES, ActorId.GUEST), Event(1, DRIVER_INIT, ActorId.GUEST, flag=1))


@pytest.mark.parametrize("event_idx", [False, True])
def test_a_device_is_done_when_it_asks_for_kicks_again(event_idx: bool) -> None:
    """Its handler pushes first; until it ends, a kick may be asked for or not."""
    memory = GuestMemory(memoryview(bytearray(GUEST_MEMORY_SIZE)))
    config = DeviceConfig(event_idx=event_idx)
    recorder, u16 = Recorder(memory, config, exact_pops=True), memory.u16
    layout = ring_layout(0, config.queue_size, 0)
    recorder.guest(SET_UP)
    recorder.look(list)
    seen = [recorder.over]
    recorder.guest((Event(2, PUBLISH, ActorId.GUEST, queue=0),), (Published(0, 0, ()),))
    for address, value in (
        (layout.avail_idx, 1),
        (layout.used_flags, USED_F_NO_NOTIFY),
        (layout.used_idx, 1),
        (layout.used_flags, 0),
        (layout.avail_event, 1),
    ):
        u16[address >> 1] = value
        seen.append(recorder.over)
    assert seen == [True, False, False, False, not event_idx, True]
    assert recorder.idle
