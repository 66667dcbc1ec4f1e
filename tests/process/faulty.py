"""Devices that fail, a class for each way, on scenarios with the smallest disk only.

None of them is built in, so the failure is attributed to the device.
"""

from __future__ import annotations

import faulthandler
import mmap
import os
import signal
import sys
import time
from contextlib import suppress
from typing import Any, NoReturn

from vblkfuzz.dataplane.queue_port import QueuePort
from vblkfuzz.dataplane.revisions.reference import Reference
from vblkfuzz.dataplane.thread import POINT, Steps, Thread
from vblkfuzz.limits import TRACE_EVENTS_MAX
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.event import ActorId
from vblkfuzz.trace.kinds import HANDLER, HANDLER_END, STATUS

_OPS = (op("init"), op("publish_kick"), op("reset"))
GOOD = Scenario(DeviceConfig(), _OPS)
FATAL = Scenario(DeviceConfig(disk_sectors=8), _OPS)


def crash() -> None:
    """End the calling process by SIGSEGV, as a bug in native code does."""
    faulthandler.disable()  # pytest's handler would print the stack
    os.kill(os.getpid(), signal.SIGSEGV)


class Faulty(Reference):
    """Calls `fail` when the driver writes the status register."""

    def write_status(self, thread: Thread, value: int) -> Steps:
        if self.config.disk_sectors == FATAL.device.disk_sectors:
            self.fail()
        return super().write_status(thread, value)

    def fail(self) -> None:
        raise NotImplementedError


class Raises(Faulty):
    def fail(self) -> NoReturn:
        raise RuntimeError("planted \udc80 error")


class RaisesLong(Faulty):
    def fail(self) -> NoReturn:
        raise RuntimeError("x" * 100_000 + "planted end")


class Forks(Faulty):
    def fail(self) -> None:
        os.fork()


class ForksTerminal(Faulty):
    def fail(self) -> None:
        os.forkpty()


class Recurses(Faulty):
    def fail(self) -> None:
        self.fail()


class RecursesThroughTwo(Faulty):
    """Writes events on the way: how many depends on how deep Python lets it go."""

    def fail(self) -> None:
        self.board.ring.emit(STATUS, ActorId.MAIN)
        self.other()

    def other(self) -> None:
        self.fail()


class Interrupts(Faulty):
    def fail(self) -> NoReturn:
        raise KeyboardInterrupt


class Closes(Faulty):
    def fail(self) -> NoReturn:
        raise GeneratorExit


class CannotSay(Faulty):
    """Raises something that has no text."""

    class Error(Exception):
        def __str__(self) -> str:
            raise ValueError("no text")

    def fail(self) -> NoReturn:
        raise self.Error


class AsksWrong(Faulty):
    """Ours raises, with what the device gave."""

    def fail(self) -> None:
        self.board.ring.emit(STATUS, ActorId.MAIN, value=1 << 16)


class NeverMade(Faulty):
    def __init__(self, *args: Any) -> None:  # noqa: ANN401 -- whatever they are
        super().__init__(*args)
        if self.config.disk_sectors == FATAL.device.disk_sectors:
            raise LookupError("no such board")


class LeavesWorkBehind(Faulty):
    """Fails in the vCPU while an IOThread is in a function that writes when it is closed."""

    def handle_queue(self, thread: Thread, port: QueuePort) -> Steps:
        try:
            yield from super().handle_queue(thread, port)
        finally:
            self.board.ring.emit(STATUS, ActorId.MAIN)

    def write_status(self, thread: Thread, value: int) -> Steps:
        if value == 0:
            raise RuntimeError("planted in a reset")
        return super(Faulty, self).write_status(thread, value)


class Leaves(Faulty):
    def fail(self) -> NoReturn:
        sys.exit("planted exit")


class Exits(Faulty):
    def fail(self) -> NoReturn:
        os._exit(3)


class Crashes(Faulty):
    def fail(self) -> None:
        crash()


class Aborts(Faulty):
    def fail(self) -> NoReturn:
        faulthandler.disable()
        os.abort()


class IsKilled(Faulty):
    def fail(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


class DiesOnce(Faulty):
    """Does not die again when it is run again."""

    died: mmap.mmap
    """One byte that all its processes share."""

    def fail(self) -> None:
        if not self.died[0]:
            self.died[0] = 1
            os._exit(3)


class Hangs(Faulty):
    def fail(self) -> None:
        while True:
            self.turn()

    def turn(self) -> int:
        return sum(range(1000))


class HangsOn(Faulty):
    """Catches what may be caught."""

    def fail(self) -> None:
        while True:
            with suppress(Exception):
                sum(range(1000))


class Sleeps(Faulty):
    def fail(self) -> None:
        while True:
            time.sleep(1)


class Spins(Reference):
    """A handler that never ends tells more than a trace can hold."""

    def handle_queue(self, thread: Thread, port: QueuePort) -> Steps:
        while self.config.disk_sectors == FATAL.device.disk_sectors:
            self._trace_queue(HANDLER, thread, port)
            self._trace_queue(HANDLER_END, thread, port)
            yield POINT
        yield from super().handle_queue(thread, port)


class Floods(Faulty):
    def fail(self) -> None:
        for _ in range(TRACE_EVENTS_MAX + 1):
            self.board.ring.emit(STATUS, ActorId.MAIN)
