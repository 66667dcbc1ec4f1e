"""A thread of a daemon that owes an answer: how long it is waited for."""

from __future__ import annotations

from typing import cast

import pytest

from tests.targets.scripted_still import ASLEEP, IDLE_CORE, ScriptedStill
from vblkfuzz.errors import DeviceLost
from vblkfuzz.targets.activity.silence import ASLEEP_LOOKS
from vblkfuzz.targets.qsd.daemon import Daemon
from vblkfuzz.targets.vhost.connection import Connection
from vblkfuzz.virtio.vhost_user import Request


class Silent:
    """A connection on which the answer comes after so many looks, or never."""

    def __init__(self, still: ScriptedStill, looks: int | None) -> None:
        self._still = still
        self._looks = looks
        self.received = False

    def readable(self, timeout_s: float = 0) -> bool:
        self._still.go_on()
        return self._looks is not None and self._still.waits > self._looks

    def receive(self, request: Request) -> None:
        assert self.readable(), "no answer may be waited for here"
        self.received = True


class Sampled(Daemon):
    """A daemon whose threads do what the test says."""

    def __init__(self, still: ScriptedStill) -> None:
        self._still = still.as_stillness


def test_a_daemon_that_falls_asleep_later() -> None:
    still = ScriptedStill(IDLE_CORE, IDLE_CORE, IDLE_CORE, ASLEEP)
    with pytest.raises(DeviceLost):
        Sampled(still)._await_answer(cast("Connection", Silent(still, None)))
    assert still.waits == 3 + ASLEEP_LOOKS


def test_an_answer_that_comes_late() -> None:
    still = ScriptedStill(IDLE_CORE)
    line = Silent(still, 2 * ASLEEP_LOOKS)
    Sampled(still)._await_answer(cast("Connection", line))
    assert line.received
