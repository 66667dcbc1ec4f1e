"""Devices that fail, a class for each way, on scenarios with the smallest disk only."""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
from typing import NoReturn

from vblkfuzz.dataplane.revisions.reference import Reference
from vblkfuzz.dataplane.thread import Steps, Thread
from vblkfuzz.limits import TRACE_EVENTS_MAX
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.event import ActorId
from vblkfuzz.trace.kinds import STATUS

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


class Recurses(Faulty):
    def fail(self) -> None:
        self.fail()


class Leaves(Faulty):
    def fail(self) -> NoReturn:
        sys.exit("planted exit")


class Exits(Faulty):
    def fail(self) -> NoReturn:
        os._exit(3)


class Crashes(Faulty):
    def fail(self) -> None:
        crash()


class Hangs(Faulty):
    def fail(self) -> None:
        while True:
            pass


class Floods(Faulty):
    def fail(self) -> None:
        for _ in range(TRACE_EVENTS_MAX + 1):
            self.board.ring.emit(STATUS, ActorId.MAIN)
