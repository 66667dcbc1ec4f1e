"""Function coverage by breakpoints, on a program that forks, has threads, gets signals, crashes."""

from __future__ import annotations

import os
import platform
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.conformance.leftovers import nothing_left
from tests.targets.coverage.program import compiled, names
from tests.waiting import until
from vblkfuzz.targets.breakpoints import tracee
from vblkfuzz.targets.child import Child
from vblkfuzz.targets.coverage.coverage import FUNCTIONS, Coverage
from vblkfuzz.targets.coverage.reached import Reached
from vblkfuzz.targets.ending import ending_of
from vblkfuzz.targets.native.call_frames import CallFrames
from vblkfuzz.targets.native.mappings import shift_of
from vblkfuzz.targets.native.program_file import Program

pytestmark = pytest.mark.skipif(platform.machine() != "x86_64", reason="registers of x86-64")


@pytest.fixture
def coverage() -> Iterator[Coverage]:
    found = Coverage()
    found.begin(FUNCTIONS)
    yield found
    found.close()


def reached(coverage: Coverage) -> Reached:
    assert coverage.reached is not None
    return coverage.reached


@contextmanager
def running(coverage: Coverage | None, *words: str) -> Iterator[Child]:
    command = [compiled(), *words]
    with nothing_left():
        child = Child(command, (), coverage)
        try:
            yield child
        finally:
            child.end()
            if coverage:
                coverage.close()


def ended(child: Child) -> None:
    until(lambda: child.exit_code() is not None)


def exit_code(coverage: Coverage, *words: str) -> int | None:
    with running(coverage, *words) as child:
        ended(child)
        return child.exit_code()


def found(coverage: Coverage) -> set[str]:
    return names(reached(coverage), compiled())


def test_what_is_called_is_reached_and_nothing_else(coverage: Coverage) -> None:
    assert exit_code(coverage, "alpha") == 0
    assert {"main", "alpha"} <= found(coverage)
    assert not {"beta", "gamma_", "crash"} & found(coverage)
    assert reached(coverage).total == len(CallFrames(Program(compiled())).functions)
    assert coverage.problem == ""


def test_the_next_process_adds_to_it(coverage: Coverage) -> None:
    """Its addresses in memory are others."""
    assert exit_code(coverage, "alpha") == 0
    assert exit_code(coverage, "beta") == 0
    assert {"alpha", "beta"} <= found(coverage)
    assert "gamma_" not in found(coverage)


def first_bytes(child: Child) -> dict[str, int]:
    """Return the first byte in memory of each function of the program."""
    program = Program(compiled())
    shift = shift_of(child.pid, program.entry)
    with open(f"/proc/{child.pid}/mem", "rb") as memory:
        return {
            program.name_of(start): os.pread(memory.fileno(), 1, start + shift)[0]
            for start in CallFrames(program).functions
        }


def test_what_is_known_is_not_watched_again(coverage: Coverage) -> None:
    assert exit_code(coverage, "alpha") == 0
    with running(coverage, "gamma", "wait") as child:
        until(lambda: "gamma_" in found(coverage))
        before = first_bytes(child)
    assert before["beta"] == 0xCC
    assert before["alpha"] != 0xCC


def test_many_threads_reach_a_function_at_once(coverage: Coverage) -> None:
    assert exit_code(coverage, "threads") == 0
    assert {"threads", "runs", "in_thread"} <= found(coverage)


@pytest.mark.parametrize("word", ["fork", "vfork"])
def test_a_process_that_it_starts_runs_on(coverage: Coverage, word: str) -> None:
    assert exit_code(coverage, word, "alpha") == 0
    assert "alpha" in found(coverage)
    assert ("beta" in found(coverage)) == (word == "vfork")  # it shares the memory


def test_its_own_signals_reach_it(coverage: Coverage) -> None:
    assert exit_code(coverage, "usr1") == 0
    assert "on_signal" in found(coverage)


def test_its_own_traps_reach_it(coverage: Coverage) -> None:
    assert exit_code(coverage, "handle-trap", "trap") == 0
    assert exit_code(coverage, "trap") == -signal.SIGTRAP


@pytest.mark.parametrize("word", ["crash", "trap"])
def test_a_crash_has_the_same_place_as_without(coverage: Coverage, word: str) -> None:
    faults = []
    for one in (None, coverage):
        with running(one, word) as child:
            ended(child)
            ending = ending_of(child, guest_waits=False)
        assert ending is not None
        faults.append((ending.fault, ending.report))
    assert faults[0] == faults[1]
    assert faults[0][0] is not None
    assert faults[0][0].function == {"crash": "crash", "trap": "own_trap"}[word]


def test_it_can_be_stopped_and_goes_on(coverage: Coverage) -> None:
    with running(coverage, "gamma", "pause", "beta") as child:
        until(lambda: "gamma_" in found(coverage))
        until(lambda: not child.is_stopped)
        os.kill(child.pid, signal.SIGSTOP)
        until(lambda: child.is_stopped)
        os.kill(child.pid, signal.SIGCONT)
        os.kill(child.pid, signal.SIGUSR1)
        until(lambda: child.exit_code() == 0)
    assert "beta" in found(coverage)


def test_a_process_that_is_released_runs_on_without_breakpoints(coverage: Coverage) -> None:
    with running(coverage, "threads", "pause", "beta") as child:
        until(lambda: "threads" in found(coverage))
        child.unwatch()
        left = {name for name, byte in first_bytes(child).items() if byte == 0xCC}
        assert left == {"own_trap"}  # its own first instruction
        os.kill(child.pid, signal.SIGUSR1)
        until(lambda: child.exit_code() == 0)
    assert "beta" not in found(coverage)


def test_it_ends_with_its_tracer(coverage: Coverage) -> None:
    """It could not go on after a breakpoint."""
    with running(coverage, "wait") as child:
        until(lambda: "main" in found(coverage))
        status = Path(f"/proc/{child.pid}/status").read_text()
        psutil.Process(int(status.partition("TracerPid:\t")[2].split()[0])).kill()
        until(lambda: child.exit_code() == -signal.SIGKILL)


def test_a_shell_that_starts_the_program_does_not_count(coverage: Coverage) -> None:
    total = len(CallFrames(Program(compiled())).functions)
    for word in ("alpha", "beta"):
        child = Child(["/bin/sh", "-c", f"exec {compiled()} {word}"], (), coverage)
        ended(child)
        child.end()
        assert reached(coverage).total == total
    assert {"alpha", "beta"} <= found(coverage)


def test_where_tracing_is_forbidden_it_runs_without_and_says_why(
    coverage: Coverage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_request: int, _thread: int, _data: int) -> None:
        raise PermissionError

    monkeypatch.setattr(tracee, "ptrace", refuse)
    assert exit_code(coverage, "alpha") == 0
    assert coverage.problem == "the system does not allow it to be traced (ptrace)"


def test_a_program_without_an_index_runs_without_and_says_why(coverage: Coverage) -> None:
    program = compiled("int main(void) { return 0; }", "-static", "-Wl,--no-eh-frame-hdr")
    child = Child([program], (), coverage)
    until(lambda: child.exit_code() == 0)
    child.end()
    assert coverage.problem == "its program has no index of functions (.eh_frame_hdr)"


def test_where_no_process_is_started_it_says_so(coverage: Coverage) -> None:
    assert coverage.problem == "no device process was started here"
