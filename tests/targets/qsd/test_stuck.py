"""A thread of a daemon that owes an answer: how long it is waited for."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import pytest

pytest.importorskip("qemu.qmp", reason="pip install 'vblkfuzz[qemu]'")

from vblkfuzz.errors import DeviceLost
from vblkfuzz.targets.qsd.daemon import Daemon
from vblkfuzz.targets.vhost.connection import Connection
from vblkfuzz.targets.vhost.message import Request


class Silent:
    """A connection on which the answer comes after so many looks, or never."""

    def __init__(self, looks: int | None) -> None:
        self._looks = looks
        self.received = False

    def readable(self, timeout_s: float = 0) -> bool:
        if self._looks is not None:
            self._looks -= 1
        return self._looks is not None and self._looks < 0

    def receive(self, request: Request) -> None:
        assert self.readable(), "no answer may be waited for here"
        self.received = True


class FallsAsleep(Daemon):
    """A daemon that is found asleep at some looks only."""

    def __init__(self, looks: list[bool]) -> None:
        self.looks = looks

    def sleeps_on(self, comes: Callable[[float], bool]) -> bool:
        return self.looks.pop(0)


def test_a_daemon_that_falls_asleep_later() -> None:
    daemon = FallsAsleep([False, False, True])
    with pytest.raises(DeviceLost):
        daemon._await_answer(cast("Connection", Silent(None)))
    assert daemon.looks == []


def test_an_answer_that_comes_late() -> None:
    daemon, line = FallsAsleep([False, False, True]), Silent(2)
    daemon._await_answer(cast("Connection", line))
    assert line.received
    assert daemon.looks == [True]
