"""One core for all threads of the program: a thread that is woken does not run at once.

A thread that has been woken runs until its first point beside the one that has the turn, which may
do in the meantime what the woken one looks at. On a core of their own the woken thread waits until
the other one sleeps, almost always: SCHED_BATCH threads do not preempt one another when they wake
(sched(7)), and after an interruption by another program the kernel prefers the main thread, which
is nicer to none.

Of 180 runs of a drained window on a busy machine, 176 had one order of all events this way; with
all cores and the default policy 90 had the most frequent one.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Final

_NICER: Final = 5
"""How much nicer the others are than the main thread; more starves them on a busy machine."""


def share_one() -> None:
    """Let the calling process, and what it executes, run on one core; call it before execve(2).

    Which one does not matter: processes that start one after the other get different ones.
    """
    with suppress(OSError):  # a sandbox may forbid it: the order is less stable then
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[os.getpid() % len(cores)]})
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def give_way(thread: int, main: int) -> None:
    """Let a thread give way to the main thread of its process."""
    with suppress(OSError):  # it has ended
        os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, main) + _NICER)
