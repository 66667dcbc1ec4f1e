"""One core for all threads of a program, and threads that give way to the main one."""

from __future__ import annotations

import os
import subprocess
import sys

from vblkfuzz.gate.core import give_way, share_one

SAYS = "import os; print(len(os.sched_getaffinity(0)), os.sched_getscheduler(0))"


def test_a_program_on_one_core() -> None:
    before = os.sched_getaffinity(0), os.sched_getscheduler(0)
    command = [sys.executable, "-I", "-S", "-c", SAYS]
    said = subprocess.check_output(command, preexec_fn=share_one, text=True)
    assert said.split() == ["1", str(os.SCHED_BATCH)]
    assert (os.sched_getaffinity(0), os.sched_getscheduler(0)) == before


def test_a_thread_gives_way() -> None:
    with subprocess.Popen(["sleep", "99"]) as process:
        give_way(process.pid, os.getpid())
        assert os.getpriority(os.PRIO_PROCESS, process.pid) > os.getpriority(os.PRIO_PROCESS, 0)
        process.kill()
    give_way(process.pid, os.getpid())  # it has ended: nothing happens
