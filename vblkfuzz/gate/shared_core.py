"""Those that talk to a program share its core for a while: it sleeps before they go on.

What a program does next depends on whether an answer or a command is there yet. On a core of its
own the sender is sometimes faster than the thread that has the turn, sometimes not.

Of 40 runs of a drained window of a storage daemon on a busy machine, 28 had one order of all system
calls this way; with the NBD server and the operator on any core, 13.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class SharedCore:
    """Some threads on the cores of another one, until `leave`."""

    def __init__(self, program: int, others: Iterable[int]) -> None:
        """Move the threads `others` to the cores of the thread `program`, each given by its id."""
        self._before: dict[int, set[int]] = {}
        for thread in others:
            with suppress(OSError):  # it has ended, or a sandbox forbids it
                before = os.sched_getaffinity(thread)
                os.sched_setaffinity(thread, os.sched_getaffinity(program))
                self._before[thread] = before

    def leave(self) -> None:
        """Give each the cores that it had."""
        for thread, cores in self._before.items():
            with suppress(OSError):
                os.sched_setaffinity(thread, cores)
        self._before.clear()
