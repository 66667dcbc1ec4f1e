"""The supervisor: the fuzz process's handle on its actors. Sole importer of multiprocess.

    fuzz process -- forks --> zygote -- forks --> device, guest

`run` hands one execution over and waits for its end. An actor that dies ends the execution within
a millisecond or so (the zygote sees its pidfd); one that hangs is killed after HANG_LIMIT_S.
"""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any

import multiprocess

from vblkfuzz.errors import ActorDied, ActorHung, HarnessError
from vblkfuzz.limits import HANG_LIMIT_S, RESPAWN_LIMIT_S
from vblkfuzz.process.actors import Turns
from vblkfuzz.process.control import EXECUTION, STATUS, Status
from vblkfuzz.process.execution import Bench
from vblkfuzz.process.zygote import Zygote

if TYPE_CHECKING:
    from vblkfuzz.dataplane.virtio_blk import VirtioBlk
    from vblkfuzz.process.arena import Arena


class Supervisor:
    """Owns the actor processes of one worker."""

    def __init__(self, arena: Arena, device: type[VirtioBlk]) -> None:
        self._arena = arena
        self._bench = Bench(arena)
        self._command_fd = os.eventfd(0, os.EFD_CLOEXEC)
        context = multiprocess.get_context("fork")
        self._turns = Turns(context.Semaphore(0), context.Semaphore(0), context.Semaphore(0))
        zygote = Zygote(self._bench, self._turns, device, self._command_fd)
        self._zygote: Any = context.Process(target=zygote.run, args=(os.getpid(),), daemon=True)

    def start(self) -> None:
        """Start zygote and actors and wait until they are ready.

        Raises:
            HarnessError: they are not ready within RESPAWN_LIMIT_S.
        """
        self._zygote.start()
        self._await_actors()

    def stop(self) -> None:
        """End all processes and close all fds; also after `start` failed."""
        if self._zygote.pid is not None:
            os.kill(self._zygote.pid, signal.SIGKILL)  # its children die with it
            self._zygote.join()
            self._zygote.close()
        self._bench.close()
        os.close(self._command_fd)

    @property
    def zygote_pid(self) -> int:
        """Process id of the zygote, parent of the actors."""
        pid: int = self._zygote.pid
        return pid

    def run(self, scenario: bytes) -> None:
        """Run one execution of the canonical bytes; the trace is in the arena afterwards.

        Raises:
            ActorDied, ActorHung, HarnessError: there is no whole trace. Fresh actors are ready,
                unless the message says that the zygote has ended.
        """
        control = self._arena.control
        control[EXECUTION] = (control[EXECUTION] + 1) & 0xFFFF_FFFF
        control[STATUS] = Status.RUNNING
        self._arena.scenario.write(scenario)
        self._turns.device.release()
        if not self._turns.fuzzer.acquire(True, HANG_LIMIT_S):
            self._replace_actors()
            raise ActorHung(f"no answer within {HANG_LIMIT_S} s; the actors were replaced")
        status = control[STATUS]
        if status != _DONE:
            self._raise(status)

    def _raise(self, status: int) -> None:
        report = self._arena.report.read().decode(errors="replace")
        if status == Status.DIED:
            raise ActorDied(report)
        raise HarnessError(f"an actor raised:\n{report}")

    def _replace_actors(self) -> None:
        os.eventfd_write(self._command_fd, 1)
        self._await_actors()

    def _await_actors(self) -> None:
        if not self._turns.fuzzer.acquire(True, RESPAWN_LIMIT_S):
            raise HarnessError(f"the zygote gave no actors within {RESPAWN_LIMIT_S} s")


_DONE = int(Status.DONE)
