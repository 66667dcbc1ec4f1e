"""Threads of a small program that are held at a breakpoint, stepped over it and let go.

The tracer waits for all its children, so each test runs it in a process of its own.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import textwrap
from typing import Any, Final

import pytest

from tests.checkout import CHECKOUT
from tests.targets.coverage.program import compiled

pytestmark = pytest.mark.skipif(platform.machine() != "x86_64", reason="registers of x86-64")

TRACER: Final = """
    import json, os, signal, sys
    from vblkfuzz.targets.breakpoints.tracee import Tracee, What
    from vblkfuzz.targets.native.call_frames import CallFrames
    from vblkfuzz.targets.native.mappings import shift_of
    from vblkfuzz.targets.native.program_file import Program

    program, *words = sys.argv[1:]
    ready, go = os.pipe()
    pid = os.fork()
    if not pid:
        os.read(ready, 1)
        os.execv(program, [program, *words])
    tracee = Tracee(pid, breakpoints=True)
    os.write(go, b"x")
    file = Program(program)
    found = {}

    def begin(*names):
        stop = tracee.wait()
        while stop.what is not What.PROGRAM:
            tracee.resume(stop.thread, stop.signal)
            stop = tracee.wait()
        shift = shift_of(pid, file.entry)
        for start in CallFrames(file).functions:
            if file.name_of(start) in names:
                found[start + shift] = file.name_of(start)
        tracee.insert(found)
        tracee.resume(stop.thread)

    def stops():
        try:
            while True:
                yield tracee.wait()
        except ChildProcessError:
            pass
"""


def told_by(script: str, *words: str) -> Any:  # noqa: ANN401 -- whatever the script prints
    """Run a tracer of the program; return what it prints."""
    tracer = textwrap.dedent(TRACER) + textwrap.dedent(script)
    ended = subprocess.run(
        [sys.executable, "-c", tracer, compiled(), *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def test_a_breakpoint_that_is_stepped_over_stays_for_all_threads() -> None:
    """80 threads call the function 3 times each; the others stand still while one steps."""
    script = """
        begin("in_thread")
        hits, threads = 0, set()
        for stop in stops():
            got = stop.signal
            if stop.what is What.HIT:
                hits += 1
                threads.add(stop.thread)
                got = tracee.step_over(stop.thread)
            tracee.resume(stop.thread, got)
        print(json.dumps([hits, len(threads) > 1]))
    """
    assert told_by(script, "few", "threads") == [240, True]


def test_a_thread_that_is_not_resumed_is_held() -> None:
    script = """
        import time
        begin("alpha", "beta")
        order = []
        for stop in stops():
            if stop.what is What.HIT:
                order.append(found[stop.number])
                time.sleep(0.05)
                order.append("running" if tracee.wait(block=False) else "held")
                tracee.remove(stop.number)
            tracee.resume(stop.thread, stop.signal)
        print(json.dumps(order))
    """
    told = told_by(script, "alpha", "beta", "alpha", "beta")
    assert told == ["alpha", "held", "beta", "held"]


def test_a_signal_that_comes_while_a_thread_steps_is_not_lost() -> None:
    script = """
        begin("alpha")
        for stop in stops():
            got = stop.signal
            if stop.what is What.HIT:
                os.kill(pid, signal.SIGUSR1)
                got = tracee.step_over(stop.thread)
            tracee.resume(stop.thread, got)
        print(json.dumps("ended"))
    """
    assert told_by(script, "alpha", "pause") == "ended"


def test_a_held_thread_is_released_with_the_others() -> None:
    script = """
        begin("alpha", "beta")
        for stop in stops():
            if stop.what is What.HIT:
                break
            tracee.resume(stop.thread, stop.signal)
        tracee.release()
        print(json.dumps(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])))
    """
    assert told_by(script, "alpha", "beta", "threads") == 0


def test_a_thread_that_sigstop_has_stopped_stays_so_while_another_one_steps() -> None:
    script = """
        begin("alpha")

        def state():
            (other,) = set(os.listdir(f"/proc/{pid}/task")) - {str(pid)}
            with open(f"/proc/{pid}/task/{other}/stat") as file:
                return file.read().rpartition(")")[2].split()[0]

        states = []
        for stop in stops():
            got = stop.signal
            if stop.what is What.HIT:
                while state() != "S":
                    tracee.wait(block=False)
                os.kill(pid, signal.SIGSTOP)
                stops_now = False
                while not (stops_now and state() == "t"):
                    if more := tracee.wait(block=False):
                        tracee.resume(more.thread, more.signal)
                        stops_now = more.signal == signal.SIGSTOP
                got = tracee.step_over(stop.thread)
                states.append(state())
                os.kill(pid, signal.SIGCONT)
            tracee.resume(stop.thread, got)
        print(json.dumps(states))
    """
    assert told_by(script, "sleeper", "alpha") == ["t"]
