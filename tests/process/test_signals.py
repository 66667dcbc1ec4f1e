"""Ctrl-C signals the whole process group, but does not end actors."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import vblkfuzz

PROGRAM = Path(__file__).with_name("fuzz_process.py")


def test_ctrl_c_does_not_end_actors() -> None:
    random = Random(1)
    with subprocess.Popen(
        [sys.executable, str(PROGRAM)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(Path(vblkfuzz.__file__).parents[1])},
    ) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "ready\n"
        for _ in range(50):
            os.killpg(program.pid, signal.SIGINT)
            time.sleep(random.uniform(0, 0.005))
        output, _ = program.communicate()
    assert output == "1 1\n"
    assert program.returncode == 0
