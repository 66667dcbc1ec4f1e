"""Roles of threads without names: by the order in which they were started.

A thread has the first place that none of the others has any more. So the one that serves a new
connection has the role of the one before it, which has ended with its connection.
"""

from __future__ import annotations

import os
from contextlib import suppress
from itertools import count
from typing import TYPE_CHECKING, Final

from vblkfuzz.scenario.scenario import Role

if TYPE_CHECKING:
    from collections.abc import Sequence

_STARTED_AT: Final = 22 - 3
"""Place of the start time among the fields of /proc/PID/stat that follow the name (proc(5))."""


class StartOrder:
    """The threads of one process."""

    def __init__(self, pid: int, roles: Sequence[Role | None]) -> None:
        """Give the threads these roles, in the order of their start; WORKER to all later ones.

        None is that of a thread that no schedule interrupts.
        """
        self._folder = f"/proc/{pid}/task"
        self._roles = roles
        self._places: dict[int, int] = {}

    def role(self, thread: int) -> Role | None:
        """Return the role of a thread; None: it has none, or is of another process."""
        if thread not in self._places:
            self._look()
        place = self._places.get(thread)
        if place is None:
            return None
        return self._roles[place] if place < len(self._roles) else Role.WORKER

    def _look(self) -> None:
        started = {task: self._started(task) for task in self._tasks()}
        self._places = {task: place for task, place in self._places.items() if task in started}
        for task in sorted(started, key=lambda task: (started[task], task)):
            if task not in self._places:
                taken = set(self._places.values())
                self._places[task] = next(place for place in count() if place not in taken)

    def _tasks(self) -> list[int]:
        with suppress(OSError):  # the process has ended
            return [int(name) for name in os.listdir(self._folder)]
        return []

    def _started(self, task: int) -> int:
        """Return when a thread was started, in ticks; those of one tick are in order by id."""
        with suppress(OSError), open(f"{self._folder}/{task}/stat") as file:
            return int(file.read().rpartition(") ")[2].split()[_STARTED_AT])
        return 0
