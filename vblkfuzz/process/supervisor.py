"""The supervisor: the fuzz process's handle on its actors. Sole importer of multiprocess.

    fuzz process -- forks --> zygote -- forks --> device, guest

`run` hands one execution over and waits for its end. When an actor dies, the execution ends within
about a millisecond (the zygote polls the pidfds); when one hangs, it is killed after
ANSWER_LIMIT_S, or after WAIT_LIMIT_S if it limits its own processor time. After both, the actors
are replaced, so that a late answer of the old actors is never taken for an answer to the next
execution. If a user's device has raised, they stay: they wait for the next execution.

If somebody kills the zygote, its actors die with it, and a new zygote is forked. What the input has
to do with its end is not known otherwise: then there are no actors any more.
"""

from __future__ import annotations

import os
import select
import signal
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import multiprocess

from vblkfuzz.errors import ActorDied, ActorHung, HarnessError, ZygoteLost
from vblkfuzz.limits import ANSWER_LIMIT_S, RESPAWN_LIMIT_S, WAIT_LIMIT_S
from vblkfuzz.process.actors import Turns, device_main
from vblkfuzz.process.control import (
    DEVICE_ENDED,
    EXECUTION,
    GENERATION,
    GENERATION_WANTED,
    NOT_ENDED,
    STATUS,
    WATCHED,
    Status,
)
from vblkfuzz.process.execution import Broken, SharedParts
from vblkfuzz.process.life_line import LifeLine
from vblkfuzz.process.linux import check_linux
from vblkfuzz.process.patience import SLICE_S, Patience
from vblkfuzz.process.semaphore import Semaphore
from vblkfuzz.process.zygote import END, LOOK, Line, Zygote
from vblkfuzz.trace.fault import Fault

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vblkfuzz.dataplane.virtio_blk import VirtioBlk
    from vblkfuzz.process.arena import Arena


class Supervisor:
    """Owns the actor processes of one worker."""

    def __init__(
        self,
        arena: Arena,
        device: type[VirtioBlk],
        memory_mb: int | None = None,
        *,
        alone: bool = False,
    ) -> None:
        """Prepare the actors of a device class.

        Args:
            arena: what they share.
            device: the class.
            memory_mb: what `device_main` expects.
            alone: its process runs the guest too.
        """
        check_linux()
        self._arena = arena
        self._limited = memory_mb is not None
        """Whether the device ends itself if it uses too much processor time."""
        self._settled = False
        """Whether the actors are ready for an execution and no earlier request is pending."""
        self._parts = SharedParts(arena, alone=alone)
        self._line = Line(os.eventfd(0, os.EFD_CLOEXEC), os.eventfd(0, os.EFD_CLOEXEC))
        self._turns = Turns(*map(Semaphore, arena.semaphores))
        main = partial(
            device_main, self._parts, self._turns, device, memory_mb=memory_mb, alone=alone
        )
        self._serve = Zygote(self._parts, self._turns, main, self._line, alone=alone).run
        self._zygote: Any = None
        self._life: LifeLine
        """Of the zygote and its actors."""
        self._zygote_ended = -1
        """pidfd of the zygote, readable when it has ended; -1 before `start`."""

    def start(self) -> None:
        """Start zygote and actors and wait until the actors are ready.

        All of them die with the calling *thread* (prctl(2), PR_SET_PDEATHSIG).

        Raises:
            ZygoteLost: the actors are not ready within RESPAWN_LIMIT_S.
        """
        control = self._arena.control
        control[GENERATION_WANTED] = (control[GENERATION] + 1) & _U32
        self._fork_zygote()
        self._await_actors()

    def _fork_zygote(self) -> None:
        context = multiprocess.get_context("fork")
        self._zygote = context.Process(target=self._serve, args=(os.getpid(),), daemon=True)
        self._life = LifeLine()
        try:
            self._zygote.start()
        except BaseException:
            self._life.close()
            raise
        self._life.let_go()
        self._zygote_ended = os.pidfd_open(self._zygote.pid)

    def stop(self) -> None:
        """End all processes and close all fds, also after a failed `start`."""
        try:
            if self._zygote_ended >= 0:
                self._end_zygote()
        finally:
            self._parts.close()
            for fd in self._line:
                os.close(fd)

    def _end_zygote(self) -> None:
        self._ask_zygote(END)
        if not _readable((self._zygote_ended,), ANSWER_LIMIT_S):
            self._zygote.kill()  # its children die with it
        self._bury_zygote()

    def _bury_zygote(self) -> None:
        os.close(self._zygote_ended)
        self._zygote_ended = -1
        self._life.close()
        self._zygote.join()
        self._zygote.close()

    def _ask_zygote(self, command: int) -> None:
        """Send a command, and wake the zygote if somebody has stopped it (SIGSTOP)."""
        os.eventfd_write(self._line.command, command)
        with suppress(ProcessLookupError):  # whoever waits for it sees that it has ended
            signal.pidfd_send_signal(self._zygote_ended, signal.SIGCONT)

    def run(self, scenario: bytes) -> Broken | None:
        """Run one execution of the canonical bytes; afterwards the trace is in the arena.

        Returns what the device did wrong if its own code ended the execution.

        Raises:
            ActorDied, ActorHung, HarnessError: the trace is incomplete; fresh actors are ready.
            ZygoteLost: there are no actors and there will be none.
        """
        if not self._settled:  # the last run was interrupted (ctrl-C)
            self._replace_actors()
        self._settled = False
        control = self._arena.control
        control[EXECUTION] = (control[EXECUTION] + 1) & _U32
        control[STATUS] = Status.RUNNING
        control[DEVICE_ENDED] = NOT_ENDED
        self._arena.scenario.write(scenario)
        self._turns.device.release()
        limit = WAIT_LIMIT_S if self._limited else ANSWER_LIMIT_S
        if not self._turn_comes(limit):
            raise self._no_answer(limit)
        if control[STATUS] not in (Status.DONE, Status.FAULT):
            raise self._failure()
        broken = self._broken() if control[STATUS] == Status.FAULT else None
        # A device that is out of memory may keep what it has taken, and would fail ever after.
        self._settled = broken is None or not broken.fault.what.endswith(MemoryError.__name__)
        return broken

    def run_watched(self, scenario: bytes) -> Broken | None:
        """Run an execution slowly: when the device dies, `Arena.last_line` says where.

        The events up to there are in the arena, too. It returns what `run` does.

        Raises:
            As `run`.
        """
        control = self._arena.control
        control[WATCHED] = 1
        self._arena.last_line.write(b"[]")
        try:
            return self.run(scenario)
        finally:
            control[WATCHED] = 0

    def _broken(self) -> Broken:
        line, _, stack = self._arena.report.read().partition(b"\n")
        return Broken(Fault.from_line(line), stack.decode(errors="replace"))

    def _turn_comes(self, limit: float) -> bool:
        """Wait for the turn of the fuzz process; False if actors hang or died with the zygote."""
        patience = Patience(limit)
        while not self._turns.fuzzer.acquire(True, SLICE_S):
            if patience.over or self._has_ended():
                return False
        return True

    def _failure(self) -> HarnessError:
        """Replace the actors and return why the execution failed."""
        status, ended = self._arena.control[STATUS], self._arena.control[DEVICE_ENDED]
        report = self._arena.report.read().decode(errors="replace")
        self._replace_actors()
        if status == Status.FAILED:
            return HarnessError(f"an actor raised:\n{report}")
        if status == Status.HUNG:
            return ActorHung(report)
        # The status is DIED, or RUNNING if an actor died before the execution began.
        died = ActorDied(report, _exit_code(ended) if status == Status.DIED else None)
        died.of_input = status == Status.DIED
        return died

    def _no_answer(self, limit: float) -> HarnessError:
        """Replace the actors and return why there was no answer."""
        if not self._has_ended():
            self._replace_actors()
            return ActorHung(f"no answer within {limit} s; the actors were replaced")
        self._replace_actors()
        died = ActorDied("the zygote was killed, and the actors with it; they were replaced")
        died.of_input = False
        return died

    def _replace_actors(self) -> None:
        control = self._arena.control
        control[GENERATION_WANTED] = (control[GENERATION_WANTED] + 1) & _U32
        if self._has_ended():
            self._replace_zygote()
        else:
            self._ask_zygote(LOOK)
        self._await_actors()

    def _has_ended(self) -> bool:
        """Whether the zygote has ended."""
        return bool(_readable((self._zygote_ended,), 0))

    def _replace_zygote(self) -> None:
        """Fork another one in the place of one that somebody has killed.

        Raises:
            ZygoteLost: it ended in another way, or its actors live on.
        """
        lost = self._lost()
        if lost.of_input or not self._life.all_ended(RESPAWN_LIMIT_S):
            raise lost
        self._bury_zygote()
        self._fork_zygote()

    def _await_actors(self) -> None:
        control = self._arena.control
        patience = Patience(RESPAWN_LIMIT_S)
        while control[GENERATION] != control[GENERATION_WANTED]:
            self._await_zygote(patience)
        self._settled = True

    def _await_zygote(self, patience: Patience) -> None:
        """Wait up to SLICE_S seconds for a message or the end of the zygote.

        Raises:
            ZygoteLost: the zygote has ended by itself, or the limit is reached.
        """
        ready = _readable((self._line.ready, self._zygote_ended), SLICE_S)
        if self._line.ready in ready:
            os.read(self._line.ready, 8)
        elif ready and not patience.over:
            self._replace_zygote()
        elif patience.over:
            raise ZygoteLost(f"the zygote gave no actors within {RESPAWN_LIMIT_S} s")

    def _lost(self) -> ZygoteLost:
        """Return what to say of a zygote that has ended; a kill is nobody's fault here."""
        self._zygote.join()
        code = self._zygote.exitcode
        error = ZygoteLost(f"the zygote has ended, exit code {code}")
        error.of_input = code != -signal.SIGKILL
        return error


def _exit_code(ended: int) -> int | None:
    """Return how a device process ended, negative: by a signal; None: it did not."""
    return None if ended == NOT_ENDED else os.waitstatus_to_exitcode(ended)


def _readable(fds: Iterable[int], timeout: float) -> set[int]:
    """Wait until one of `fds` is readable, at most `timeout` seconds; return those that are."""
    poll = select.poll()
    for fd in fds:
        poll.register(fd, select.POLLIN)
    return {fd for fd, _ in poll.poll(timeout * 1000)}


_U32: Final = 0xFFFF_FFFF
