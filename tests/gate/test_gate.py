"""The gate of one process: what it tells, whom it holds, and what is left of it."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

import psutil
import pytest

from tests.conformance.leftovers import open_fds
from tests.gate.program import NEEDS_GATE, below_a_filter, stop_and_continue
from tests.waiting import until
from vblkfuzz.gate.gate import Gate
from vblkfuzz.gate.threads import Threads
from vblkfuzz.scenario.place import Place
from vblkfuzz.scenario.scenario import Deviation, Go, Role

pytestmark = NEEDS_GATE

TURNS = """
sys.stdin.readline()
def work(name):
    for n in range(3): line(name + b"%d" % n)
threads = [begin(b"IO io0", lambda: work(b"io")), begin(b"worker", lambda: work(b"w"))]
work(b"main")
for thread in threads: thread.join()
os.write(1, b"the end of it\\n")
sys.stdin.readline()
"""
"""Three threads with three points each."""
POINTS = {b"main0", b"main1", b"main2", b"io0", b"io1", b"io2", b"w0", b"w1", b"w2"}


@dataclass
class Run:
    """A program behind its gate."""

    gate: Gate
    pid: int
    stdin: int
    stdout: int
    told: list[tuple[int, bytes]] = field(default_factory=list)

    @property
    def events(self) -> list[bytes]:
        return [text.split(b":")[1].split()[0] for _, text in self.told]

    def go(self) -> None:
        os.write(self.stdin, b"\n")

    def await_end(self) -> None:
        assert os.read(self.stdout, 100) == b"the end of it\n"


@contextmanager
def gated(code: str) -> Iterator[Run]:
    with below_a_filter(code) as (process, fd):
        assert process.stdin is not None
        assert process.stdout is not None
        told: list[tuple[int, bytes]] = []
        gate = Gate(fd, process.pid, lambda thread, text: told.append((thread, text)))
        run = Run(gate, process.pid, process.stdin.fileno(), process.stdout.fileno(), told)
        try:
            yield run
        finally:
            process.kill()
            process.wait()
            gate.free()
            gate.close()


def serial(run: Run, *deviations: Deviation, stuck: bool = False) -> None:
    run.gate.start(lambda: stuck)
    run.gate.begin(enumerate(deviations))
    run.go()


def test_a_free_gate_tells_all_lines_and_holds_no_thread() -> None:
    with gated(TURNS) as run:
        run.go()
        run.await_end()
        assert set(run.events) == POINTS
        assert len(run.told) == len(POINTS)
        assert run.gate.passed == (0,) * len(Role)


def test_each_thread_passes_its_points_in_a_serial_scenario() -> None:
    with gated(TURNS) as run:
        serial(run)
        run.await_end()
        assert set(run.events) == POINTS
        passed = dict(zip(Role, run.gate.passed, strict=True))
        assert {role: count for role, count in passed.items() if count} == dict.fromkeys(
            (Role.MAIN, Role.IO0, Role.WORKER), 3
        )
        assert run.gate.neighbours


def test_a_held_thread_goes_on_when_told_to() -> None:
    with gated(TURNS) as run:
        serial(run, Deviation(0, 1, Go.MAIN, role=Role.IO0))
        until(lambda: {b"main2", b"w2"} <= set(run.events) and run.gate.held)
        assert b"io2" not in run.events
        assert not run.gate.resume_over_next(9)
        assert run.gate.resume()
        run.await_end()
        assert not run.gate.held
        assert run.gate.places == {0: Place("io1", after="io0")}
        notes = [text for _, text in run.told if text.startswith(b"0@0:gate")]
        io0, main = int(Role.IO0), int(Go.MAIN)
        assert notes == [b"0@0:gate %s 0 %d %d 1\n" % (what, io0, main) for what in HOLD]


HOLD = b"held", b"goes_on"


def test_a_thread_that_is_held_over_an_operation() -> None:
    with gated(TURNS) as run:
        serial(run, Deviation(4, 1, Go.NEXT, role=Role.WORKER))
        until(lambda: run.gate.held and b"main2" in run.events)
        assert not run.gate.resume()
        assert not run.gate.resume_over_next(4)
        assert run.gate.resume_over_next(5)
        run.await_end()


def test_a_held_thread_goes_on_if_nothing_else_ever_would() -> None:
    with gated(TURNS) as run:
        serial(run, Deviation(0, 1, Go.NEXT, role=Role.MAIN), stuck=True)
        run.await_end()
        assert run.events.count(b"gate") == len(HOLD)
        assert run.gate.places == {0: Place("main1", after="main0")}


def test_the_end_of_a_scenario_frees_all_threads() -> None:
    with gated(TURNS) as run:
        serial(
            run, Deviation(0, 0, Go.NEXT, role=Role.MAIN), Deviation(0, 1, Go.NEXT, role=Role.IO0)
        )
        until(lambda: run.gate.held)
        run.gate.free()
        run.await_end()
        assert not run.gate.held


def test_a_thread_that_spins_does_not_keep_the_others_waiting() -> None:
    code = """
sys.stdin.readline()
flag = []
def waits():
    line(b"spins")
    while not flag: pass
def sets():
    line(b"first"); line(b"second"); flag.append(1)
threads = [begin(b"IO io0", waits), begin(b"worker", sets)]
for thread in threads: thread.join()
os.write(1, b"the end of it\\n")
"""
    with gated(code) as run:
        serial(run)
        run.await_end()


# --- Stops from outside, and the end ----------------------------------------------------------


def test_a_stopped_process_passes_no_point_twice() -> None:
    with gated(TURNS) as run:
        serial(run, Deviation(0, 1, Go.MAIN, role=Role.IO0))
        until(lambda: {b"main2", b"w2"} <= set(run.events) and run.gate.held)
        stop_and_continue(run.pid)
        assert run.gate.resume()
        run.await_end()
        assert sorted(run.events) == sorted([*POINTS, b"gate", b"gate"])
        assert run.gate.passed[Role.IO0] == 3


def test_stops_at_any_time() -> None:
    with gated(TURNS.replace("range(3)", "range(300)")) as run:
        serial(run)
        for _ in range(30):
            stop_and_continue(run.pid)
        run.await_end()
        assert len(run.events) == len(set(run.events)) == 900
        assert run.gate.passed[Role.MAIN] == 300


@pytest.mark.parametrize("held", [False, True])
def test_nothing_is_left_of_it(held: bool) -> None:
    before = open_fds(), threading.active_count()
    with gated(TURNS) as run:
        deviations: Sequence[Deviation] = [Deviation(0, 1, Go.MAIN, role=Role.IO0)] * held
        serial(run, *deviations)
        until(lambda: b"main2" in run.events)
        until(lambda: bool(run.gate.held) == held)
    assert (open_fds(), threading.active_count()) == before


def test_files_of_threads_that_have_ended_are_closed() -> None:
    code = """
while sys.stdin.readline():
    for n in range(20): begin(b"worker", lambda: line(b"x")).join()
    os.write(1, b"the end of it\\n")
"""
    with gated(code) as run:
        counts = []
        for _ in range(3):
            serial(run)
            run.await_end()
            run.gate.free()
            counts.append(len(open_fds()))
        assert len(set(counts)) == 1


def test_a_gate_sleeps_while_no_thread_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[None] = []
    step = Gate._step

    def look(self: Gate) -> None:
        looks.append(None)
        step(self)

    monkeypatch.setattr(Gate, "_step", look)
    with gated(TURNS) as run:
        serial(run, Deviation(0, 1, Go.MAIN, role=Role.IO0))
        until(lambda: run.gate.held)
        run.gate.resume()
        run.await_end()
        until(lambda: psutil.Process(run.pid).status() == psutil.STATUS_SLEEPING)
        time.sleep(0.1)
        before = len(looks)
        time.sleep(0.1)
        assert len(looks) == before


def test_a_failure_ends_the_process_and_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: Threads, thread: int) -> Role:
        raise ZeroDivisionError("a mistake")

    monkeypatch.setattr(Threads, "role", fail)
    with gated(TURNS) as run:
        assert not run.gate.failure
        run.go()
        assert os.read(run.stdout, 1) == b""  # it was ended
        until(lambda: "gate" not in [thread.name for thread in threading.enumerate()])
    assert "in _arrive" in run.gate.failure
    assert run.gate.failure.endswith("ZeroDivisionError: a mistake\n")


def test_forks_beside_a_busy_gate() -> None:
    with gated(TURNS.replace("range(3)", "range(10**9)")) as run:
        serial(run)
        for _ in range(15):
            passed = len(run.told)
            until(partial(more_than, run.told, passed))
            pid = os.fork()
            if pid == 0:
                # Locks of the gate, of the interpreter and of the C library are all free.
                threading.Thread(target=bytearray, args=(1 << 20,)).start()
                os._exit(0)
            await_exit(pid)


def more_than(told: Sequence[object], count: int) -> bool:
    return len(told) > count


def await_exit(pid: int) -> None:
    try:
        until(lambda: os.waitpid(pid, os.WNOHANG)[0])
    except AssertionError:
        os.kill(pid, signal.SIGKILL)
        raise


def test_two_gates_at_once() -> None:
    with gated(TURNS) as one, gated(TURNS) as other:
        serial(one, Deviation(0, 1, Go.MAIN, role=Role.IO0))
        serial(other)
        other.await_end()
        until(lambda: one.gate.held)
        assert not other.gate.held
        one.gate.resume()
        one.await_end()
