"""Event suppression of packed rings, byte for byte (virtio 1.2, 2.8.10, 2.8.14)."""

from __future__ import annotations

import pytest

from tests.virtio.packed.by_hand import device, driver, event, memory
from vblkfuzz.virtio.packed.device_queue import DeviceQueue


def test_a_device_that_is_not_ready() -> None:
    end = DeviceQueue(memory(), 0)
    end.set_notification(False)
    assert (end.empty(), end.pop(), end.push(0, 1), end.should_call()) == (True, None, False, False)
    assert end.would_be_kicked()
    assert end.asks_for_kicks()


def test_kicks() -> None:
    """2.8.10: the device area says which descriptors need a kick."""
    found = memory()
    queue, end = driver(found), device(found)
    end.set_notification(False)
    assert found.read(132, 4) == event(0, 0, 1)
    assert not (end.would_be_kicked() or end.asks_for_kicks() or queue.needs_kick())
    end.set_notification(True)
    assert found.read(132, 4) == event(0, 0, 0)
    assert end.would_be_kicked()
    assert end.asks_for_kicks()
    assert queue.needs_kick()


def test_kicks_of_one_descriptor() -> None:
    """2.8.10, with EVENT_IDX: the kick that is asked for is that of offset and wrap counter."""
    found = memory()
    queue, end = driver(found, event_idx=True), device(found, event_idx=True)
    end.set_notification(True)
    assert found.read(132, 4) == event(0, 1, 2)
    assert not queue.needs_kick()
    queue.publish_raw(queue.add([(256, 1)] * 3, []))
    assert queue.needs_kick()
    assert not queue.needs_kick()
    assert end.asks_for_kicks()
    end.pop()
    assert found.read(132, 4) == event(3, 1, 2)
    end.push(0, 0)
    queue.get_used()
    queue.release(0)
    queue.publish_raw(queue.add([(256, 1)] * 2, []))
    assert queue.needs_kick()  # over the end of the ring
    end.set_notification(False)
    end.pop()
    assert found.read(132, 4) == event(3, 1, 1)
    end.set_notification(True)
    assert found.read(132, 4) == event(1, 0, 2)
    # An event that has passed is due in two laps only.
    found.write(132, event(0, 0, 2))
    assert not end.would_be_kicked()
    assert not end.asks_for_kicks()


def test_calls() -> None:
    """2.8.10: the driver area says which used descriptors need a call."""
    found = memory()
    queue, end = driver(found), device(found)
    queue.set_no_interrupt(True)
    assert found.read(128, 4) == event(0, 0, 1)
    assert not end.should_call()
    queue.set_used_event(1)  # DESC is only valid with EVENT_IDX
    assert found.read(128, 4) == event(1, 1, 1)
    queue.set_no_interrupt(False)
    assert found.read(128, 4) == event(1, 1, 0)
    assert end.should_call()


def test_calls_of_one_descriptor() -> None:
    found = memory()
    queue, end = driver(found, event_idx=True), device(found, event_idx=True)
    assert end.should_call()  # all of them, as long as the driver asks for none
    assert queue.set_used_event(3) == 3
    assert found.read(128, 4) == event(3, 1, 2)
    for count in (3, 1):
        queue.publish_raw(queue.add([(256, 1)] * count, []))
    end.pop()
    end.pop()
    end.push(0, 0)
    assert not end.should_call()
    end.push(1, 0)
    assert end.should_call()
    assert not end.should_call()
    assert queue.set_used_event(-1) == 7
    assert found.read(128, 4) == event(3, 0, 2)
    assert queue.set_used_event(0x8000 + 2) == 6  # a lap ahead


def test_a_call_may_be_due_at_the_first_check() -> None:
    """When the last one was is not known after a restore."""
    found = memory()
    queue = driver(found, event_idx=True)
    queue.set_used_event(2)
    assert device(found, event_idx=True).should_call()


@pytest.mark.parametrize(("event_idx", "wrong"), [(False, (2, 3, 4)), (True, (3, 4, 0x8001))])
def test_flags_without_a_meaning(event_idx: bool, wrong: tuple[int, ...]) -> None:
    """2.8.14: DESC needs EVENT_IDX, 3 is reserved, and so are the bits above."""
    found = memory()
    queue = driver(found, event_idx)
    for flags in range(5):
        found.write(132, event(0, 0, flags))
        assert queue.wrong_flags() == (flags if flags in wrong else 0)
