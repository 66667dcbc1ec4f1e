"""Tests of the device in plain Python."""

import pytest
from own_device import LIMIT, Forgetful, Throttled

from vblkfuzz import DeviceConfig, Scenario, assert_clean, op, run
from vblkfuzz.trace.kinds import PARK

RESET_WHILE_ONE_WAITS = Scenario(
    device=DeviceConfig(queue_size=16),
    ops=(op("init"), op("hold"), *[op("publish_kick")] * (LIMIT + 1), op("reset")),
)


def test_a_reset_cancels_waiting_requests() -> None:
    assert_clean(RESET_WHILE_ONE_WAITS, Throttled)


def test_the_bug_is_found() -> None:
    with pytest.raises(AssertionError, match="S7: Request 3"):
        assert_clean(RESET_WHILE_ONE_WAITS, Forgetful, rule="S7")


def test_the_third_request_waits() -> None:
    events = run(RESET_WHILE_ONE_WAITS, Throttled).trace.events
    assert {event.request for event in events if event.kind == PARK} == {LIMIT + 1}
