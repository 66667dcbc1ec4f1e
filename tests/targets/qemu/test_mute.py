"""A main loop that spins without an answer, while a request is held: QEMU is at rest otherwise."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Coroutine
from contextlib import closing
from typing import Any, cast

from vblkfuzz.targets.activity.spin import SpinWatch
from vblkfuzz.targets.activity.stillness import Stillness
from vblkfuzz.targets.begun import Begun
from vblkfuzz.targets.qemu.process import QemuProcess
from vblkfuzz.targets.qemu.variant import Variant

TURNS = "print(flush=True)\nwhile True: pass"


class NoAnswer:
    """A connection on which no question is ever answered."""

    def begin(self, work: Coroutine[Any, Any, None]) -> Begun[None]:
        work.close()
        return cast("Begun[None]", self)

    def finished(self, task: Begun[None], patience_s: float) -> bool:
        return False


class Mute(QemuProcess):
    """A process that is there already."""

    def __init__(self, still: Stillness) -> None:
        self.variant = Variant(iothreads=0, ioeventfd=True)
        self.qmp = cast("Any", NoAnswer())
        self._still = still
        self._spin = SpinWatch(still, set())
        self._questions = None


def test_it_is_not_waited_for() -> None:
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", TURNS], stdin=pipe, stdout=pipe) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            with closing(Stillness(process.pid)) as still:
                mute = Mute(still)
                assert not mute.settle(blocked=True)
                assert mute.spins(drained=False)
        finally:
            process.kill()
