"""Devices that turn against the process they run in and those around it, a class for each way.

They do it on scenarios with the smallest disk only, as those of `faulty`.
"""

from __future__ import annotations

import ctypes
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from typing import ClassVar, NoReturn

from tests.process.faulty import Faulty
from vblkfuzz.dataplane.queue_port import QueuePort

STUBBORN = "trap '' TERM HUP; sleep 1000"
"""A program of the shell that SIGTERM does not end."""


class StartsProgram(Faulty):
    def fail(self) -> None:
        subprocess.Popen(["sleep", "1000"])


class StartsDaemon(Faulty):
    """Forked twice, in a session of its own, deaf to SIGTERM."""

    def fail(self) -> None:
        subprocess.run(["sh", "-c", f'setsid sh -c "{STUBBORN}" &'], check=True)


class ForksInC(Faulty):
    """The audit hook does not see it; the copy sleeps in C for ever."""

    def fail(self) -> None:
        libc = ctypes.CDLL(None)
        if libc.fork() == 0:
            while True:
                libc.pause()


class StartsAndDies(StartsDaemon):
    def fail(self) -> NoReturn:
        super().fail()
        os._exit(3)


class KillsParent(Faulty):
    number: ClassVar = signal.SIGKILL

    def fail(self) -> None:
        os.kill(os.getppid(), self.number)


class TerminatesParent(KillsParent):
    number = signal.SIGTERM


class StopsParent(KillsParent):
    number = signal.SIGSTOP


class KillsGroup(Faulty):
    def fail(self) -> None:
        os.killpg(0, signal.SIGKILL)


class KillsAll(Faulty):
    def fail(self) -> None:
        os.kill(-1, signal.SIGKILL)


class EndsOwnProgram(Faulty):
    """What it has started it may end: this is no failure."""

    def fail(self) -> None:
        with subprocess.Popen(["sleep", "1000"], start_new_session=True) as one:
            os.killpg(one.pid, signal.SIGTERM)
        with subprocess.Popen(["sleep", "1000"]) as other:
            other.kill()


class TakesMemory(Faulty):
    def fail(self) -> None:
        bytearray(5 << 30)


class TakesMoreAndMore(Faulty):
    """Keeps it."""

    kept: ClassVar[list[bytearray]] = []

    def fail(self) -> None:
        while True:
            self.kept.append(bytearray(64 << 20))


class LoopsInC(Faulty):
    def fail(self) -> None:
        re.match(r"(a+)+$", "a" * 60 + "b")


class LoopsDeaf(Faulty):
    """Catches whatever is raised."""

    def fail(self) -> None:
        while True:
            try:
                sum(range(1000))
            except BaseException:
                continue


class Segfaults(Faulty):
    def fail(self) -> None:
        ctypes.string_at(0)


class ClosesFiles(Faulty):
    def fail(self) -> None:
        os.closerange(3, 1 << 16)


class ClosesStreams(Faulty):
    def fail(self) -> None:
        sys.stderr.close()
        os.closerange(0, 3)


class ChangesFolder(Faulty):
    def fail(self) -> None:
        os.chdir("/")
        os.umask(0o777)


class IgnoresSignals(Faulty):
    def fail(self) -> None:
        for number in (signal.SIGTERM, signal.SIGCHLD, signal.SIGINT, signal.SIGVTALRM):
            signal.signal(number, signal.SIG_IGN)


class LeavesSession(Faulty):
    def fail(self) -> None:
        os.nice(19)
        if os.getpid() != os.getsid(0):
            os.setsid()


class StartsThreads(Faulty):
    """One goes on, one calls sys.exit."""

    def fail(self) -> None:
        threading.Thread(target=threading.Event().wait, daemon=True).start()
        threading.Thread(target=sys.exit, args=(3,)).start()


class Alters(Faulty):
    """Changes what all Python code of a process has in common."""

    def fail(self) -> None:
        sys.path.clear()
        random.seed(1)
        for name in ("json", "random", "subprocess"):
            sys.modules.pop(name, None)
        time.monotonic = time.time = lambda: 0.0


class Prints(Faulty):
    def fail(self) -> None:
        print("x" * (1 << 16))


class ForksInCAndGoesOn(Faulty):
    def fail(self) -> None:
        ctypes.CDLL(None).fork()


class PollsPort(QueuePort):
    def poll(self) -> bool:
        return 1  # type: ignore[return-value]  # that is the mistake


class PollsWrong(Faulty):
    queue_port = PollsPort

    def fail(self) -> None:
        pass
