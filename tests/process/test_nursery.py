"""Processes that another one forks, which has stayed small."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.conformance.leftovers import nothing_left
from tests.waiting import WAIT_S, until
from vblkfuzz.process.nursery import Nursery, Nursling

GROWN = 64 << 20
"""Bytes."""


def echo(line: socket.socket) -> None:
    while word := line.recv(100):
        line.send(word)


@pytest.fixture
def nursery() -> Iterator[Nursery]:
    with nothing_left():
        nursery = Nursery(echo)
        yield nursery
        nursery.stop()


def answers(nursling: Nursling) -> bool:
    nursling.line.settimeout(WAIT_S)
    nursling.line.send(b"word")
    return nursling.line.recv(100) == b"word"


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def test_each_serves_its_own_socket_until_it_is_stopped(nursery: Nursery) -> None:
    one, other = nursery.fork(), nursery.fork()
    assert answers(one)
    assert answers(other)
    one.stop()
    assert answers(other)
    assert one.pid == 0
    one.stop()
    other.stop()


def test_one_that_has_ended_is_stopped_as_any_other(nursery: Nursery) -> None:
    one = nursery.fork()
    os.kill(one.pid, signal.SIGKILL)
    assert one.line.recv(100) == b""
    one.stop()


def test_they_have_not_what_the_parent_has_got_since(nursery: Nursery) -> None:
    nursery.fork().stop()
    grown = bytearray(os.urandom(GROWN))
    one = nursery.fork()
    with closing(one.line):
        assert answers(one)
        mapped = Path(f"/proc/{one.pid}/statm").read_text().split()
        own = Path("/proc/self/statm").read_text().split()
        assert int(own[0]) - int(mapped[0]) >= len(grown) // os.sysconf("SC_PAGE_SIZE")
        one.stop()


def test_a_nursery_that_was_killed_is_replaced(nursery: Nursery) -> None:
    before = nursery.fork()
    os.kill(parent_of(before.pid), signal.SIGKILL)
    assert before.line.recv(100) == b""  # it dies with the nursery
    after = nursery.fork()
    assert answers(after)
    before.stop()
    assert answers(after)
    after.stop()


def test_a_nursery_ends_only_what_it_has_forked(nursery: Nursery) -> None:
    one = nursery.fork()
    stranger = Nursling(nursery, os.getpid(), socket.socket())
    stranger.stop()
    assert answers(one)
    one.stop()


def test_what_runs_dies_with_the_nursery(nursery: Nursery) -> None:
    one = nursery.fork()
    pid = one.pid
    nursery.stop()
    until(lambda: not Path(f"/proc/{pid}").exists())
    one.stop()
