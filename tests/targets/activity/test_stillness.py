"""Processes at rest and processes that run, as /proc shows them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.conformance.leftovers import open_fds
from tests.gate.woken_by_the_kernel import WokenByTheKernel
from tests.waiting import WAIT_S, until
from vblkfuzz.targets.activity.stillness import Stillness

PROGRAMS = {
    "sleeps": "import sys; print(flush=True); sys.stdin.read()",
    "naps": "import time; print(flush=True); time.sleep(100)",
    "turns": "print(flush=True)\nwhile True: pass",
    "lets another turn": "import threading, sys\ndef turn():\n    while True: pass\n"
    "threading.Thread(target=turn, daemon=True).start()\nprint(flush=True)\nsys.stdin.read()",
    # A parent waits in state D for a child that it has vforked, until that ends or runs a program.
    "waits for the kernel": "import ctypes\nlibc = ctypes.CDLL(None)\nprint(flush=True)\n"
    "if libc.vfork() == 0:\n    libc.pause()",
    "starts another thread": "import threading, sys\ndef turn():\n    while True: pass\n"
    "print(flush=True)\nsys.stdin.readline()\n"
    "threading.Thread(target=turn, daemon=True).start()\nprint(flush=True)\nsys.stdin.read()",
}


@pytest.fixture
def process(request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-c", PROGRAMS[request.param]]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


@pytest.mark.parametrize("process", ["sleeps"], indirect=True)
def test_a_process_that_waits_for_input_is_at_rest(process: subprocess.Popen[bytes]) -> None:
    assert Stillness(process.pid).wait(WAIT_S)


@pytest.mark.parametrize("process", ["naps", "sleeps"], indirect=True)
def test_a_process_that_sleeps_for_a_time(
    process: subprocess.Popen[bytes], request: pytest.FixtureRequest
) -> None:
    with closing(Stillness(process.pid)) as still:
        assert still.wait(WAIT_S)
        assert still.naps() == ("naps" in request.node.name)
        process.kill()
        process.wait()
        assert not still.naps()


@pytest.mark.parametrize("process", ["sleeps"], indirect=True)
def test_a_first_sample_suffices_for_a_process_that_sleeps(
    process: subprocess.Popen[bytes],
) -> None:
    assert Stillness(process.pid).wait(WAIT_S)
    with closing(Stillness(process.pid)) as new:
        assert new.wait(0)


@pytest.mark.parametrize("process", ["starts another thread"], indirect=True)
def test_a_thread_that_starts_after_the_first_sample(process: subprocess.Popen[bytes]) -> None:
    still = Stillness(process.pid)
    assert still.wait(WAIT_S)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"\n")
    process.stdin.flush()
    process.stdout.readline()
    assert not still.wait(0.2)


@pytest.mark.parametrize("process", ["waits for the kernel"], indirect=True)
def test_a_thread_that_waits_for_the_kernel_is_not_at_rest(
    process: subprocess.Popen[bytes],
) -> None:
    child = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    until(lambda: child.read_text() != "")
    still = Stillness(process.pid)
    before = still.look()
    assert before is not None
    assert not before.main_asleep
    assert not still.wait(0.2)
    os.kill(int(child.read_text()), signal.SIGKILL)


@pytest.mark.parametrize("woken_at", range(12))
def test_a_thread_that_the_kernel_wakes_during_a_look_is_not_at_rest(
    woken_at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It waits for a processor then: it has not run, and its state is that of one that runs."""
    thread = WokenByTheKernel(woken_at)
    monkeypatch.setattr("vblkfuzz.targets.activity.stillness.ThreadFiles", lambda folder: thread)
    with closing(Stillness(os.getpid())) as still:
        assert not still.wait(0)
        before, after = still.look(), still.look()
        assert before is not None
        assert after is not None
        assert not (before.main_asleep and after.main_asleep)


@pytest.mark.parametrize("process", ["turns", "lets another turn"], indirect=True)
def test_a_process_that_spins_is_not_at_rest(process: subprocess.Popen[bytes]) -> None:
    assert not Stillness(process.pid).wait(0.2)


@pytest.mark.parametrize("process", ["turns"], indirect=True)
def test_a_main_thread_that_turns_alone(process: subprocess.Popen[bytes]) -> None:
    still = Stillness(process.pid)
    before = still.main_seconds()
    sample = still.look()
    still.wait(0.1)
    assert still.only_main_ran(sample)
    while still.main_seconds() <= before:
        pass


@pytest.mark.parametrize("process", ["lets another turn"], indirect=True)
def test_states_and_time_of_all_threads(process: subprocess.Popen[bytes]) -> None:
    with closing(Stillness(process.pid, os.getpid())) as still:
        before = still.seconds()
        until(lambda: still.seconds() > before)
        until(lambda: still.states()[0] == {"S", "R"})
        assert "R" in still.states()[1]  # this process, which may have threads that sleep
        process.send_signal(signal.SIGSTOP)
        until(lambda: still.states()[0] == {"T"})
        process.kill()
        process.wait()
        assert still.states()[0] == set()
        assert still.seconds() == 0


@pytest.mark.parametrize("process", ["lets another turn"], indirect=True)
def test_another_thread_that_works(process: subprocess.Popen[bytes]) -> None:
    still = Stillness(process.pid)
    assert not still.only_main_ran(still.look())


@pytest.mark.parametrize("process", ["sleeps"], indirect=True)
def test_it_keeps_files_open_until_it_is_closed(process: subprocess.Popen[bytes]) -> None:
    before = open_fds()
    with closing(Stillness(process.pid)) as still:
        assert still.wait(WAIT_S)
        count = len(open_fds())
        assert still.wait(WAIT_S)
        assert len(open_fds()) == count > len(before)
        process.kill()
        process.wait()
        assert not still.wait(0)
    assert open_fds() == before


def test_a_process_that_sleeps_while_another_works_for_it() -> None:
    pipe = subprocess.PIPE
    command = [sys.executable, "-c"]
    with (
        subprocess.Popen([*command, PROGRAMS["sleeps"]], stdin=pipe, stdout=pipe) as one,
        subprocess.Popen([*command, PROGRAMS["turns"]], stdin=pipe, stdout=pipe) as other,
    ):
        for process in (one, other):
            assert process.stdout is not None
            process.stdout.readline()
        assert Stillness(one.pid).wait(WAIT_S)
        assert not Stillness(one.pid, other.pid).wait(0.2)
        other.kill()
        one.kill()


@pytest.mark.parametrize("process", ["sleeps"], indirect=True)
def test_a_process_that_has_ended_is_not_waited_for(process: subprocess.Popen[bytes]) -> None:
    with closing(Stillness(process.pid)) as still:
        assert still.wait(WAIT_S)
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert not still.wait(float("inf"))
        assert still.lives.ended() == [process.pid]
