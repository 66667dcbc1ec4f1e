"""The driver sets the cache mode only if it has accepted F_CONFIG_WCE and F_FLUSH."""

from __future__ import annotations

import pytest

from tests.driver.lone_guest import Guest
from vblkfuzz.trace.kinds import WRITEBACK, WRITEBACK_READ


@pytest.mark.parametrize(("mode", "number"), [("writethrough", 0), ("writeback", 1)])
def test_it_writes_the_mode_and_reads_it_back(mode: str, number: int) -> None:
    guest = Guest()
    guest.do("init")
    guest.do("writeback", mode=mode)
    assert guest.transport.log[-1] == f"writeback {number}"
    assert [event.flag for event in guest.events(WRITEBACK)] == [number]
    found = [(event.flag, event.value) for event in guest.events(WRITEBACK_READ)]
    assert found == [(number, number)]


@pytest.mark.parametrize("decline", ["flush", "config_wce", "write_cache"])
def test_it_needs_both_features(decline: str) -> None:
    guest = Guest()
    guest.do("writeback")
    guest.do("init", decline=decline)
    guest.do("writeback")
    guest.do("reset")
    guest.do("writeback")
    assert guest.events(WRITEBACK) == []
    assert not any("writeback" in line for line in guest.transport.log)


def test_a_mode_that_cannot_be_read() -> None:
    guest = Guest()
    guest.transport.has_config = False
    guest.do("init")
    guest.do("writeback")
    assert len(guest.events(WRITEBACK)) == 1
    assert guest.events(WRITEBACK_READ) == []


def test_it_reads_the_mode_again_when_all_has_settled() -> None:
    guest = Guest()
    guest.do("init")
    guest.rest()
    assert guest.events(WRITEBACK_READ) == []
    guest.do("writeback", mode="writethrough")
    guest.transport.mode = 1
    guest.rest()
    found = [(event.flag, event.value) for event in guest.events(WRITEBACK_READ)]
    assert found == [(0, 0), (0, 1)]


@pytest.mark.parametrize("ops", [("reset",), ("reset", "init"), ("init",)])
def test_a_reset_may_choose_any_mode(ops: tuple[str, ...]) -> None:
    guest = Guest()
    guest.do("init")
    guest.do("writeback")
    for name in ops:
        guest.do(name)
    guest.rest()
    assert len(guest.events(WRITEBACK_READ)) == 1
