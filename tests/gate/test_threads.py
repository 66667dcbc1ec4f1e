"""Roles of threads by their names, and whether they sleep."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.conformance.leftovers import open_fds
from tests.gate.program import NEEDS_GATE, listening, next_stop
from tests.gate.woken_by_the_kernel import WokenByTheKernel
from tests.waiting import until
from vblkfuzz.gate.listener import Listener
from vblkfuzz.gate.threads import Threads
from vblkfuzz.scenario.scenario import Role

pytestmark = NEEDS_GATE

NAMES = {
    "IO io0": Role.IO0,
    "IO io1": Role.IO1,
    "IO mon_iothread": Role.MONITOR,
    "CPU 0/TCG": Role.VCPU,
    "worker": Role.WORKER,
    "call_rcu": None,
}

SPINS = """
def spin():
    line(b"spins")
    while True: pass
begin(b"worker", spin)
sys.stdin.readline()
"""


def name_of(pid: int, thread: int) -> str:
    with open(f"/proc/{pid}/task/{thread}/comm") as file:
        return file.read().strip()


@contextmanager
def spinning() -> Iterator[tuple[int, int, Listener]]:
    """Yield a process, its thread that spins, and the listener."""
    with listening(SPINS) as (process, listener):
        stop = next_stop(listener)
        listener.swallow(stop)
        yield process.pid, stop.thread, listener


def test_the_role_of_a_thread() -> None:
    code = f"for name in {[name.encode() for name in NAMES]}: begin(name, lambda: line(b'x'))\n"
    with listening(code + "line(b'x')\nsys.stdin.readline()") as (process, listener):
        threads = Threads(process.pid)
        stops = [next_stop(listener) for _ in range(len(NAMES) + 1)]
        found = {
            name_of(process.pid, stop.thread): threads.role(stop.thread)
            for stop in stops
            if stop.thread != process.pid
        }
        assert found == NAMES
        assert threads.role(process.pid) is Role.MAIN
        # It keeps what it knew of a thread that has ended, until it forgets.
        process.kill()
        process.wait()
        worker = next(stop.thread for stop in stops if threads.role(stop.thread) is Role.WORKER)
        assert threads.role(worker) is Role.WORKER
        threads.forget()
        assert threads.role(worker) is None


def test_whether_a_thread_sleeps() -> None:
    with spinning() as (pid, spins, _):
        threads = Threads(pid)
        until(lambda: threads.sleeps(pid))
        assert not threads.sleeps(spins)
        before = threads.spent_ns(spins)
        until(lambda: threads.spent_ns(spins) > before)
        assert threads.spent_ns(pid) > 0
        threads.forget()


def test_a_thread_that_has_ended() -> None:
    before = open_fds()
    with listening("begin(b'worker', lambda: line(b'x')).join()\nline(b'y')") as (
        process,
        listener,
    ):
        threads = Threads(process.pid)
        stop = next_stop(listener)
        assert threads.sleeps(stop.thread)
        listener.swallow(stop)
        next_stop(listener)
        until(lambda: str(stop.thread) not in os.listdir(f"/proc/{process.pid}/task"))
        assert threads.sleeps(stop.thread)
        assert threads.spent_ns(stop.thread) == 0
        assert threads.sleeps(stop.thread)
        threads.forget()
    assert open_fds() == before


@pytest.mark.parametrize("woken_at", range(6))
def test_a_thread_that_the_kernel_wakes_does_not_sleep(
    woken_at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    thread = WokenByTheKernel(woken_at)
    monkeypatch.setattr("vblkfuzz.gate.threads.ThreadFiles", lambda folder: thread)
    assert not Threads(os.getpid()).sleeps(os.getpid())
