"""Whether processes still run: one that has ended never falls asleep, and spends no CPU time.

Who waits for either has to look here, or waits for ever. A process counts as ended from its exit
on, also while another process, which traces it, has not reaped it yet (pidfd_open(2)).
"""

from __future__ import annotations

import os
import select

from vblkfuzz.errors import ActorDied, DeviceLost


class Lives:
    """A device process and those that it communicates with."""

    def __init__(self, device: int, *others: int) -> None:
        """Watch processes by their ids; their pidfds are open from the first look to `close`."""
        self._device = device
        self._pids = (device, *others)
        self._pid_of: dict[int, int] = {}
        """By pidfd."""
        self._poll = select.poll()

    def ended(self) -> list[int]:
        """Return the ids of the processes that have ended; of several perhaps only one."""
        if not self._pid_of:
            for pid in self._pids:
                try:
                    fd = os.pidfd_open(pid)
                except ProcessLookupError:
                    return [pid]
                self._pid_of[fd] = pid
                self._poll.register(fd, select.POLLIN)
        return [self._pid_of[fd] for fd, _ in self._poll.poll(0)]

    def check(self) -> None:
        """Check that all of them run.

        Raises:
            DeviceLost: the device has ended.
            ActorDied: another one has.
        """
        found = self.ended()
        if self._device in found:
            raise DeviceLost("the device process has ended")
        if found:
            raise ActorDied("a process that serves the device has ended")

    def check_others(self) -> None:
        """Check that all of them but the device run.

        Raises:
            ActorDied: one has ended.
        """
        if set(self.ended()) - {self._device}:
            raise ActorDied("a process that serves the device has ended")

    def close(self) -> None:
        """Close the pidfds."""
        for fd in self._pid_of:
            self._poll.unregister(fd)
            os.close(fd)
        self._pid_of.clear()
