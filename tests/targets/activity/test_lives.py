"""Processes that have ended, reaped or not."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.conformance.leftovers import open_fds
from vblkfuzz.errors import ActorDied, DeviceLost
from vblkfuzz.targets.activity.lives import Lives

SLEEPS = "import sys; sys.stdin.read()"


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", SLEEPS], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def end(child: subprocess.Popen[bytes]) -> None:
    """End it without reaping it."""
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)


def test_all_of_them_run(child: subprocess.Popen[bytes]) -> None:
    before = open_fds()
    with closing(Lives(child.pid, os.getpid())) as lives:
        lives.check()
        assert lives.ended() == []
    assert open_fds() == before


def test_the_device_has_ended(child: subprocess.Popen[bytes]) -> None:
    with closing(Lives(child.pid, os.getpid())) as lives:
        lives.check()
        end(child)
        with pytest.raises(DeviceLost):
            lives.check()


def test_another_process_has_ended(child: subprocess.Popen[bytes]) -> None:
    with closing(Lives(os.getpid(), child.pid)) as lives:
        end(child)
        with pytest.raises(ActorDied):
            lives.check()


def test_the_device_was_reaped_before_the_first_look(child: subprocess.Popen[bytes]) -> None:
    child.kill()
    child.wait()
    with closing(Lives(child.pid)) as lives, pytest.raises(DeviceLost):
        lives.check()
