"""Threads that share the core of another one for a while."""

from __future__ import annotations

import os
import subprocess
import threading

import pytest

from vblkfuzz.gate.shared_core import SharedCore

CORES = os.sched_getaffinity(0)


@pytest.mark.skipif(len(CORES) < 2, reason="there is one core")
def test_they_get_their_cores_back() -> None:
    with subprocess.Popen(["sleep", "99"]) as program, subprocess.Popen(["sleep", "99"]) as other:
        try:
            os.sched_setaffinity(program.pid, {max(CORES)})
            core = SharedCore(program.pid, [other.pid, threading.get_native_id()])
            assert os.sched_getaffinity(other.pid) == os.sched_getaffinity(0) == {max(CORES)}
            other.kill()
            other.wait()
            core.leave()
            assert os.sched_getaffinity(0) == CORES
            assert os.sched_getaffinity(program.pid) == {max(CORES)}
            # Those that have ended are left out.
            program.kill()
            program.wait()
            SharedCore(program.pid, [0]).leave()
            assert os.sched_getaffinity(0) == CORES
        finally:
            program.kill()
            other.kill()
            os.sched_setaffinity(0, CORES)
