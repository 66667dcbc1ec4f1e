"""A process that forks others while it is small, so that each of them stays small.

A forked process keeps a copy of each page that its parent writes later: after a while, of all that
the parent had. A fuzz process that has grown and starts a process for each device would be there as
often as devices run. What is forked in the nursery shares the nursery's pages instead, which never
change.
"""

from __future__ import annotations

import os
import signal
import socket
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final

from vblkfuzz.process.forked import Forked, close_all_but
from vblkfuzz.process.parent_death import die_with_parent

if TYPE_CHECKING:
    from collections.abc import Callable

_FORK: Final = b"fork"
_BYTES: Final = 64


class Nursery:
    """The parent's handle; `serve` runs in each process that is forked, on its end of a socket."""

    def __init__(self, serve: Callable[[socket.socket], None]) -> None:
        """Fork nothing yet; the first `fork` does, and should come early."""
        self._forked = Forked(partial(_fork_on_demand, serve))

    def fork(self) -> Nursling:
        """Return a new process; if the nursery has been killed, there is a new one first.

        Raises:
            OSError: none can be forked.
        """
        mine, its_own = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with its_own:
            pid = self._ask(its_own) or self._ask_a_new_one(its_own)
        if not pid:
            mine.close()
            raise OSError("no process can be forked")
        return Nursling(self, pid, mine)

    def _ask_a_new_one(self, its_own: socket.socket) -> int:
        self.stop()
        return self._ask(its_own)

    def _ask(self, its_own: socket.socket) -> int:
        """Return the id of a new process; 0: there is none."""
        if not self._forked.pid:
            self._forked.start()
        with suppress(OSError):
            socket.send_fds(self._forked.line, [_FORK], [its_own.fileno()])
            return int(self._forked.line.recv(_BYTES) or 0)
        return 0

    def end(self, pid: int) -> None:
        """Kill and reap a process that it has forked; it has died if the nursery was killed."""
        with suppress(OSError):
            self._forked.line.send(str(pid).encode())
            self._forked.line.recv(_BYTES)

    def stop(self) -> None:
        """End it; what it has forked and still runs gets the signal for the death of its parent."""
        self._forked.stop()


class Nursling:
    """A process of a nursery, as `Forked`."""

    def __init__(self, nursery: Nursery, pid: int, line: socket.socket) -> None:
        self._nursery = nursery
        self.pid = pid
        """As `Forked.pid`."""
        self.line = line
        """As `Forked.line`."""

    def stop(self) -> None:
        """Kill the process, if it runs."""
        if self.pid:
            self._nursery.end(self.pid)
            self.pid = 0
            self.line.close()


def _fork_on_demand(serve: Callable[[socket.socket], None], line: socket.socket) -> None:
    """Fork and end processes, until the parent ends this one."""
    close_all_but(line.fileno())
    running: set[int] = set()
    while True:
        order, fds, _, _ = socket.recv_fds(line, _BYTES, 1)
        if not order:
            return
        if order == _FORK:
            running.add(pid := _fork(serve, line, fds[0]))
            os.close(fds[0])
            line.send(str(pid).encode())
        elif int(order) in running:  # else a nursery before this one has forked it
            running.remove(int(order))
            os.kill(int(order), signal.SIGKILL)
            os.waitpid(int(order), 0)
            line.send(order)
        else:
            line.send(order)


def _fork(serve: Callable[[socket.socket], None], line: socket.socket, fd: int) -> int:
    """Return the id of a new process; 0: none can be forked."""
    nursery = os.getpid()
    try:
        pid = os.fork()
    except OSError:
        return 0
    if pid == 0:
        try:
            die_with_parent(nursery)
            line.close()
            serve(socket.socket(fileno=fd))
        finally:
            os._exit(1)
    return pid
