"""A main thread that spins, told by its own CPU time."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from vblkfuzz.errors import DeviceLost
from vblkfuzz.targets.activity.spin import AGAIN_S, Spin, SpinWatch
from vblkfuzz.targets.activity.stillness import SPIN_S, Stillness

TURNS = "print(flush=True)\nwhile True: pass"
SLEEPS = "import sys; print(flush=True); sys.stdin.read()"
ANOTHER = (
    "import threading, sys\ndef turn():\n    while True: pass\n"
    "threading.Thread(target=turn, daemon=True).start()\nprint(flush=True)\nsys.stdin.read()"
)
BOTH = (
    "import threading\ndef turn():\n    while True: pass\n"
    "threading.Thread(target=turn, daemon=True).start()\nprint(flush=True)\nturn()"
)
ENDS = "print(flush=True)"
WORKS = "import sys; print(flush=True)\nfor _ in range(300000): pass\nsys.stdin.read()"


@contextmanager
def running(program: str) -> Iterator[Stillness]:
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with closing(Stillness(process.pid)) as still:
            yield still
        process.kill()


@pytest.mark.parametrize("program", [SLEEPS, WORKS])
def test_a_thread_that_falls_asleep_does_not_spin(program: str) -> None:
    known: set[Spin] = set()
    with running(program) as still:
        assert not SpinWatch(still, known).spins(drained=True)
    assert known == set()


def test_the_first_spin_takes_long_to_prove_and_others_in_that_state_do_not() -> None:
    known: set[Spin] = set()
    with running(TURNS) as still:
        before = still.main_seconds()
        assert SpinWatch(still, known).spins(drained=True)
        assert still.main_seconds() - before >= SPIN_S
    assert known == {Spin.DRAINED}
    with running(TURNS) as still:  # another process of the program
        before = still.main_seconds()
        assert SpinWatch(still, known).spins(drained=True)
        assert still.main_seconds() - before >= AGAIN_S
        before = still.main_seconds()
        assert SpinWatch(still, known).spins(drained=False)
        assert still.main_seconds() - before >= SPIN_S


def test_outside_of_a_section_and_at_a_gate_each_spin_takes_long_to_prove() -> None:
    known = {Spin.DRAINED}
    with running(TURNS) as still:
        for watch, drained in (
            (SpinWatch(still, known), False),
            (SpinWatch(still, known), False),
            (SpinWatch(still, known, gated=True), True),
        ):
            before = still.main_seconds()
            assert watch.spins(drained=drained)
            assert still.main_seconds() - before >= SPIN_S
    assert known == {Spin.DRAINED}


def test_another_thread_that_spins() -> None:
    with running(ANOTHER) as still:
        before = still.others_seconds()
        assert SpinWatch(still, set()).others_spin()
        assert still.others_seconds() - before >= SPIN_S
    with running(SLEEPS) as still:
        assert not SpinWatch(still, set()).others_spin()


def test_nothing_is_proved_while_another_thread_runs() -> None:
    known: set[Spin] = set()
    with running(BOTH) as still:
        assert not SpinWatch(still, known).spins(drained=True)
        assert SpinWatch(still, known).others_spin()
    assert known == set()


def test_a_process_that_has_ended_does_not_spin() -> None:
    with running(ENDS) as still:  # it is not reaped: a zombie neither sleeps nor spends time
        watch = SpinWatch(still, set())
        with pytest.raises(DeviceLost):
            watch.spins(drained=True)
        with pytest.raises(DeviceLost):
            watch.others_spin()


def test_other_threads_that_sleep_while_the_main_thread_spins() -> None:
    with running(TURNS) as still:
        assert not SpinWatch(still, set()).others_spin()
