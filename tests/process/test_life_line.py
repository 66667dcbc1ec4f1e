"""A life line tells whether a process that was forked with it, or one of its own, lives."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from tests.waiting import WAIT_S
from vblkfuzz.process.life_line import LifeLine


@pytest.fixture
def line() -> Iterator[LifeLine]:
    line = LifeLine()
    yield line
    line.close()


def forked() -> int:
    """Fork a process that waits for its end."""
    pid = os.fork()
    if pid == 0:
        signal.pause()
        os._exit(0)
    return pid


def end(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def test_it_is_held_until_the_last_one_has_ended(line: LifeLine) -> None:
    one, other = forked(), forked()
    line.let_go()
    assert not line.all_ended(0)
    end(one)
    assert not line.all_ended(0)
    end(other)
    assert line.all_ended(WAIT_S)


def test_one_that_was_forked_later_does_not_hold_it(line: LifeLine) -> None:
    line.let_go()
    later = forked()
    assert line.all_ended(WAIT_S)
    end(later)


def test_a_descendant_holds_it_when_its_parent_has_ended(line: LifeLine) -> None:
    read, write = os.pipe()
    if (child := os.fork()) == 0:
        os.write(write, str(forked()).encode())
        os._exit(0)
    line.let_go()
    os.waitpid(child, 0)
    grandchild = int(os.read(read, 20))
    for fd in (read, write):
        os.close(fd)
    assert not line.all_ended(0)
    os.kill(grandchild, signal.SIGKILL)
    assert line.all_ended(WAIT_S)


def test_the_own_hold_counts_until_it_is_dropped(line: LifeLine) -> None:
    assert not line.all_ended(0)
    line.let_go()
    line.let_go()
    assert line.all_ended(0)
