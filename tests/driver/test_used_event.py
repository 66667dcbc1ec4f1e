from __future__ import annotations

import pytest

from tests.driver.lone_guest import ready
from vblkfuzz.trace.kinds import USED_EVENT


@pytest.mark.parametrize(
    ("base", "used_event"), [("next", 1), ("taken", 0xFFFC), ("opposite", 0x8001)]
)
def test_a_used_event_is_ahead_has_passed_or_is_opposite(base: str, used_event: int) -> None:
    guest = ready(first_index=0xFFFF)
    guest.do("set_used_event", ahead=2, base=base)
    found = guest.memory.u16[guest.transport.layouts[0].used_event >> 1]
    assert found == used_event
    assert [event.value for event in guest.events(USED_EVENT)] == [used_event]
