"""What proc says of a thread: the state is read where the place does not say all."""

from __future__ import annotations

import os

import pytest

from vblkfuzz.gate import thread_files
from vblkfuzz.gate.thread_files import ThreadFiles


class Shown(ThreadFiles):
    """Its files show a place and a state."""

    __slots__ = ("asked", "place", "state")

    def __init__(self, place: bytes, state: bytes) -> None:
        self.place, self.state = place, state
        self.asked = False

    def where(self) -> bytes:
        return self.place

    def _state(self) -> bytes:
        self.asked = True
        return self.state

    def close(self) -> None:
        pass


@pytest.mark.parametrize("place", [b"futex_do_wait", b"poll_schedule_timeout.constprop.0"])
@pytest.mark.skipif("PREEMPT_RT" in os.uname().version, reason="a kernel of real time")
def test_the_state_is_not_read_in_a_place_that_only_sleeps(place: bytes) -> None:
    thread = Shown(place, b"S")
    assert thread.sleeps_in() == place
    assert not thread.asked


@pytest.mark.parametrize("place", [b"ep_poll", b"unix_stream_read_generic", b"futex_requeue", b"0"])
def test_the_state_is_read_elsewhere(place: bytes) -> None:
    """`ep_poll` and the like may wait for a mutex there."""
    assert Shown(place, b"S").sleeps_in() == place
    assert Shown(place, b"D").sleeps_in() == b""


def test_a_kernel_of_real_time_has_no_such_places(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thread_files, "_UNTIL_WOKEN", thread_files.until_woken("PREEMPT_RT"))
    assert Shown(b"futex_do_wait", b"D").sleeps_in() == b""
