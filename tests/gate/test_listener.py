"""The answers to threads that ask, and threads that go meanwhile."""

from __future__ import annotations

import errno
import os
import select

import pytest

from tests.gate.program import NEEDS_GATE, below_a_filter, listening, next_stop, stop_and_continue
from tests.waiting import WAIT_S, until
from vblkfuzz.gate.listener import Gone, Listener

pytestmark = NEEDS_GATE

WRITES = """
written = os.write(1, b"the first of two\\n")
assert written == 17, written
os.write(1, b"the second of two\\n")
sys.stdin.readline()
"""


def gone(listener: Listener) -> bool:
    try:
        return listener.asked and False
    except Gone:
        return True


def test_a_thread_that_asks() -> None:
    with listening(WRITES) as (process, listener):
        stop = next_stop(listener)
        assert stop.thread == process.pid
        assert listener.text(stop) == b"the first of two\n"
        assert not listener.asked


def test_what_is_swallowed_is_not_written() -> None:
    with listening(WRITES) as (process, listener):
        assert listener.swallow(next_stop(listener))
        listener.carry_out(next_stop(listener))
        assert process.stdout is not None
        assert process.stdout.readline() == b"the second of two\n"


def test_of_a_long_write_only_the_beginning_is_read() -> None:
    with listening("os.write(1, bytes(1 << 20))") as (_, listener):
        stop = next_stop(listener)
        assert stop.size == 1 << 20
        assert listener.text(stop) == bytes(4096)


def test_a_process_that_was_killed() -> None:
    with listening(WRITES) as (process, listener):
        stop = next_stop(listener)
        process.kill()
        process.wait()
        assert listener.text(stop) == b""
        assert not listener.swallow(stop)
        listener.carry_out(stop)
        with pytest.raises(Gone):
            _ = listener.asked


def test_a_process_that_was_killed_before_it_is_heard() -> None:
    with listening(WRITES) as (process, listener):
        until(lambda: listener.asked)
        process.kill()
        process.wait()
        assert listener.receive() is None
        assert gone(listener)


def test_a_process_that_ends_by_itself() -> None:
    with listening("") as (process, listener):
        process.wait()
        until(lambda: gone(listener))


def test_a_thread_that_was_stopped_asks_again() -> None:
    with listening(WRITES) as (process, listener):
        first = next_stop(listener)
        stop_and_continue(process.pid)
        second = next_stop(listener)
        assert (second.thread, second.size) == (first.thread, first.size)
        assert not listener.swallow(first)
        assert listener.swallow(second)
        assert listener.text(next_stop(listener)) == b"the second of two\n"


def test_without_a_listener_a_call_fails() -> None:
    code = "try: os.write(1, bytes(9))\nexcept OSError as error: sys.exit(error.errno)"
    with below_a_filter(code) as (process, fd):
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        assert poll.poll(1000 * WAIT_S)
        os.close(fd)
        assert process.wait() == errno.ENOSYS
