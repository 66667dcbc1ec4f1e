"""No process outlives its parent, whenever the parent dies.

All descendants hold the write end of a pipe open; it closes when the last of them has ended.
"""

from __future__ import annotations

import os
import signal
import time
import traceback
from collections.abc import Callable
from random import Random

import pytest

from tests.conformance.leftovers import nothing_left
from tests.process.crew import SCENARIOS
from tests.waiting import WAIT_S
from vblkfuzz.process.parent_death import die_with_parent
from vblkfuzz.targets.model import model

TIMES = 25


def forked(main: Callable[[], None]) -> int:
    """Run `main` in a child, which then ends; return its pid."""
    pid = os.fork()
    if pid == 0:
        try:
            main()
        except BaseException:
            traceback.print_exc()  # else only what it has not written says that it failed
        finally:
            os._exit(0)
    return pid


def outlive(write: int) -> None:
    """Say so if nothing kills the caller; it ends then, so that a failing test ends too."""
    time.sleep(WAIT_S)
    os.write(write, b"survived")
    os._exit(0)


def written(descendants: Callable[[int], None], end: Callable[[int], None]) -> bytes:
    """Return what all descendants write until the last one has ended.

    Args:
        descendants: runs in a child; its argument is the fd to write to.
        end: ends that child; its argument is the child's pid.
    """
    read, write = os.pipe()
    pid = forked(lambda: descendants(write))
    os.close(write)
    end(pid)
    os.waitpid(pid, 0)
    with open(read, "rb") as pipe:
        return pipe.read()  # returns when the last writer has ended


def kill_after(seconds: float) -> Callable[[int], None]:
    def end(pid: int) -> None:
        time.sleep(seconds)
        os.kill(pid, signal.SIGKILL)

    return end


def test_the_parent_dies_later() -> None:
    def parent(write: int) -> None:
        me = os.getpid()
        asked_read, asked_write = os.pipe()

        def child() -> None:
            die_with_parent(me)
            os.write(write, b"asked")
            os.close(asked_write)
            outlive(write)

        forked(child)
        os.close(asked_write)
        os.read(asked_read, 1)  # returns when the child has made its request to the kernel

    assert written(parent, lambda pid: None) == b"asked"


def test_the_parent_died_before_the_kernel_was_asked() -> None:
    def parent(write: int) -> None:
        me = os.getpid()

        def child() -> None:
            while os.getppid() == me:
                time.sleep(0.001)
            die_with_parent(me)
            outlive(write)

        forked(child)

    assert written(parent, lambda pid: None) == b""


def test_the_parent_dies_around_the_fork() -> None:
    def parent(write: int) -> None:
        me = os.getpid()

        def child() -> None:
            die_with_parent(me)
            outlive(write)

        while True:
            forked(child)
            time.sleep(0.0002)

    random = Random(1)
    for _ in range(TIMES):
        assert written(parent, kill_after(random.uniform(0, 0.01))) == b""


def fuzz_process(write: int) -> None:
    """Run executions for ever, as a fuzz process does."""
    with model("patch-v4", "processes") as target:
        while True:
            for scenario in SCENARIOS:
                target.run(scenario)


@pytest.mark.parametrize("up_to", [0.01, 0.1], ids=["while it starts", "while it works"])
def test_the_fuzz_process_is_killed(up_to: float) -> None:
    random = Random(2)
    with nothing_left():
        for _ in range(TIMES):
            written(fuzz_process, kill_after(random.uniform(0, up_to)))
