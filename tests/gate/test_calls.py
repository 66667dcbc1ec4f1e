"""System calls as points: which ones ask, what they are, and that the kernel carries them out."""

from __future__ import annotations

import os

import pytest

from tests.gate.program import NEEDS_GATE, asking, listening, next_stop, stop_and_continue
from vblkfuzz.gate.calls import call_at
from vblkfuzz.gate.filter import Calls

pytestmark = NEEDS_GATE

EACH = """
libc = ctypes.CDLL(None)
libc.calloc.restype = ctypes.c_void_p
own = ctypes.c_void_p(libc.calloc(1, 8))
ctypes.c_uint64.from_address(own.value).value = 1
event, file = os.eventfd(0), os.memfd_create("file")
os.ftruncate(file, 4096)
lock = ctypes.c_int(1)
def futex(operation, value):
    return libc.syscall(202, ctypes.byref(lock), operation, value, None, None, -1)
os.eventfd_write(event, 1)
os.eventfd_read(event)
libc.write(event, own, 8)
os.read(event, 512)
os.read(file, 8); os.write(file, bytes(8)); os.read(file, 100)
assert futex(0, 2) == -1
assert futex(128 | 9, 2) == -1
futex(1, 1)
os.write(file, b"longer than an eventfd")
os._exit(7)
"""
"""Each call that may ask, and some that never do; the value that a wait expects is another one."""
READ, WRITE, WAIT = "eventfd_read", "eventfd_write", "futex_wait"


@pytest.mark.parametrize(
    ("calls", "expected"),
    [
        (Calls.READS, [READ, READ]),
        (Calls.WRITES, [WRITE, WRITE]),
        (Calls.OWN_WRITES, [WRITE]),
        (Calls.WAITS, [WAIT, WAIT]),
        (Calls.READS | Calls.WRITES | Calls.WAITS, [WRITE, READ, WRITE, READ, WAIT, WAIT]),
    ],
)
def test_which_calls_ask(calls: Calls, expected: list[str]) -> None:
    """The kernel carries them out: the program checks what they return."""
    found = []
    with listening(EACH, calls) as (process, listener):
        for stop in asking(listener):
            assert not stop.is_line
            # The interpreter itself may wait for a lock.
            line = call_at(stop)
            found += [line.event] if line else []
            assert listener.carry_out(stop)
        assert process.wait() == 7
    assert found == expected


def test_only_waits_count_as_locks() -> None:
    with listening(EACH, Calls.READS | Calls.WAITS) as (_, listener):
        locks = set()
        for stop in asking(listener):
            line = call_at(stop)
            locks |= {(line.event, line.locks, line.site)} if line else set()
            listener.carry_out(stop)
    assert locks == {(READ, False, ""), (WAIT, True, "")}


def test_lines_and_calls_are_told_apart() -> None:
    code = "event = os.eventfd(0)\nos.eventfd_write(event, 1)\nline(b'x')"
    with listening(code, Calls.LINES | Calls.WRITES) as (_, listener):
        stop = next_stop(listener)
        assert not stop.is_line
        listener.carry_out(stop)
        assert next_stop(listener).is_line


def test_a_thread_that_was_stopped_asks_again() -> None:
    code = "event = os.eventfd(3)\nos.write(1, b'%d' % os.eventfd_read(event))"
    with listening(code, Calls.READS) as (process, listener):
        first = next_stop(listener)
        stop_and_continue(process.pid)
        second = next_stop(listener)
        assert second == first._replace(id=second.id)
        assert not listener.carry_out(first)
        assert listener.carry_out(second)
        assert process.stdout is not None
        assert process.stdout.read() == b"3"


def test_a_thread_that_has_gone() -> None:
    with listening("os.eventfd_read(os.eventfd(1))", Calls.READS) as (process, listener):
        stop = next_stop(listener)
        process.kill()
        process.wait()
        assert call_at(stop) is None
        assert not listener.carry_out(stop)
        assert not os.path.exists(f"/proc/{process.pid}/fd/{stop.file}")
