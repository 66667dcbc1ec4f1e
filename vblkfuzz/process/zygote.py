"""The zygote: forks the actors, notices when one dies, and forks new ones.

It is forked from the fuzz process before libFuzzer installs handlers and threads there, so what it
forks later is clean. It sleeps in poll(2) on the pidfds of the actors and on one eventfd by which
the fuzz process asks for fresh actors (after a hang). Either way it kills both actors, empties the
semaphores, starts new actors and wakes the fuzz process.

Every process here dies with its parent (`parent_death`), ends by `os._exit`, and ignores ctrl-C:
that is for the orchestrator to act on.
"""

from __future__ import annotations

import os
import select
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vblkfuzz.process.actors import Turns, device_main, guest_main
from vblkfuzz.process.control import GENERATION, STATUS, Status
from vblkfuzz.process.parent_death import die_with_parent

if TYPE_CHECKING:
    from collections.abc import Callable

    from vblkfuzz.dataplane.virtio_blk import VirtioBlk
    from vblkfuzz.process.actors import Semaphore
    from vblkfuzz.process.execution import Bench


@dataclass(frozen=True, slots=True)
class Child:
    """A forked actor."""

    name: str
    pid: int
    pidfd: int


class Zygote:
    """Runs in the zygote process."""

    def __init__(
        self, bench: Bench, turns: Turns, device: type[VirtioBlk], command_fd: int
    ) -> None:
        self._bench = bench
        self._turns = turns
        self._device = device
        self._command_fd = command_fd
        self._children: list[Child] = []

    def run(self, parent: int) -> None:
        """Serve until killed."""
        die_with_parent(parent)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        self._spawn()
        self._turns.fuzzer.release()
        while True:
            self._serve(self._wait())

    def _spawn(self) -> None:
        bench, turns = self._bench, self._turns
        self._children = [
            self._fork("device", lambda: device_main(bench, turns, self._device)),
            self._fork("guest", lambda: guest_main(bench, turns)),
        ]
        bench.arena.control[GENERATION] += 1

    def _fork(self, name: str, main: Callable[[], None]) -> Child:
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            try:
                die_with_parent(parent)
                main()
            finally:
                os._exit(1)
        return Child(name, pid, os.pidfd_open(pid))

    def _wait(self) -> set[int]:
        """Sleep until an actor has ended or the fuzz process wants something; return the fds."""
        poll = select.poll()
        for fd in (self._command_fd, *(child.pidfd for child in self._children)):
            poll.register(fd, select.POLLIN)
        return {fd for fd, _ in poll.poll()}

    def _serve(self, ready: set[int]) -> None:
        dead = [child for child in self._children if child.pidfd in ready]
        if self._command_fd in ready:
            os.read(self._command_fd, 8)
        causes = self._end_actors()
        self._empty_semaphores()
        self._bench.silence()
        if dead:
            self._bench.arena.report.write("; ".join(causes[child.name] for child in dead).encode())
            self._bench.arena.control[STATUS] = Status.DIED
        self._spawn()
        self._turns.fuzzer.release()

    def _end_actors(self) -> dict[str, str]:
        """Kill and reap both; return how each ended."""
        causes = {}
        for child in self._children:
            signal.pidfd_send_signal(child.pidfd, signal.SIGKILL)
            _, status = os.waitpid(child.pid, 0)
            os.close(child.pidfd)
            causes[child.name] = f"the {child.name} process {_ending(status)}"
        return causes

    def _empty_semaphores(self) -> None:
        for semaphore in (self._turns.device, self._turns.guest, self._turns.fuzzer):
            _empty(semaphore)


def _empty(semaphore: Semaphore) -> None:
    while semaphore.acquire(False):
        pass


def _ending(status: int) -> str:
    if os.WIFSIGNALED(status):
        return f"was ended by signal {os.WTERMSIG(status)}"
    return f"ended with exit status {os.waitstatus_to_exitcode(status)}"
