"""A gate whose points are system calls: the bell between two threads, and who rings it when."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.gate.program import NEEDS_GATE, below_a_filter, stop_and_continue
from tests.waiting import until
from vblkfuzz.gate.filter import Calls
from vblkfuzz.gate.gate import Gate
from vblkfuzz.gate.start_order import StartOrder
from vblkfuzz.scenario.place import Place
from vblkfuzz.scenario.scenario import Deviation, Go, Role

pytestmark = NEEDS_GATE

BELLS = """
import select
sys.stdin.readline()
there, back = os.eventfd(0, os.EFD_NONBLOCK), os.eventfd(0, os.EFD_NONBLOCK)
def read(bell):
    select.select([bell], [], [])
    return os.eventfd_read(bell)
def serve():
    for _ in range(3):
        os.write(1, b"%d" % read(there))
        os.eventfd_write(back, 1)
thread = begin(b"any name", serve)
for n in range(3):
    os.eventfd_write(there, n + 1)
    read(back)
thread.join()
os.write(1, b".")
sys.stdin.readline()
"""
"""The main thread rings three times; the other one says how often, and rings back. As in an event
loop, no read blocks: one that does is a point again after a SIGSTOP."""
READ, WRITE = "eventfd_read", "eventfd_write"


@dataclass
class Run:
    gate: Gate
    pid: int
    stdout: int
    said: bytes = b""
    told: list[bytes] = field(default_factory=list)

    def says(self, text: bytes) -> bool:
        while len(self.said) < len(text):
            self.said += os.read(self.stdout, 9)
        return self.said == text


@contextmanager
def serial(*deviations: Deviation) -> Iterator[Run]:
    with below_a_filter(BELLS, Calls.READS | Calls.WRITES) as (process, fd):
        assert process.stdin is not None
        assert process.stdout is not None
        told: list[bytes] = []
        roles = StartOrder(process.pid, (Role.MAIN, Role.IO0))
        gate = Gate(fd, process.pid, lambda _, text: told.append(text), roles.role)
        try:
            gate.start(lambda: False)
            gate.begin(enumerate(deviations))
            process.stdin.write(b"\n")
            process.stdin.flush()
            yield Run(gate, process.pid, process.stdout.fileno(), told=told)
        finally:
            process.kill()
            process.wait()
            gate.free()
            gate.close()


def test_each_call_is_a_point_and_is_carried_out() -> None:
    with serial() as run:
        assert run.says(b"123.")
        passed = dict(zip(Role, run.gate.passed, strict=True))
        assert passed[Role.MAIN] == passed[Role.IO0] == 6
        assert run.told == []  # there is no line


def test_a_thread_that_is_about_to_ring() -> None:
    with serial(Deviation(0, 1, Go.MAIN, role=Role.IO0)) as run:
        until(lambda: run.gate.held)
        assert run.says(b"1")
        assert run.gate.places == {0: Place(WRITE, after=READ)}
        assert run.gate.resume()
        assert run.says(b"123.")
        assert [line.split()[1] for line in run.told] == [b"held", b"goes_on"]


def test_a_thread_that_was_stopped_while_it_is_held() -> None:
    with serial(Deviation(0, 2, Go.MAIN, role=Role.IO0)) as run:
        until(lambda: run.gate.held)
        assert run.gate.places == {0: Place(READ, after=WRITE)}
        stop_and_continue(run.pid)
        assert run.says(b"1")
        assert run.gate.resume()
        assert run.says(b"123.")
        assert run.gate.passed[Role.IO0] == 6


def test_stops_at_any_time() -> None:
    with serial() as run:
        for _ in range(20):
            stop_and_continue(run.pid)
        assert run.says(b"123.")
        assert run.gate.passed[Role.IO0] == 6


def test_a_free_gate_counts_nothing() -> None:
    with serial(Deviation(0, 0, Go.MAIN, role=Role.IO0)) as run:
        until(lambda: run.gate.held)
        run.gate.free()
        assert run.says(b"123.")
        assert run.gate.passed == (0,) * len(Role)
