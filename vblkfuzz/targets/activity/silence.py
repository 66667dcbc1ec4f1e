"""A device that owes an answer: whether the answer comes, or the device hangs.

The clock decides neither, since on a busy machine every answer may take long. A device hangs if

* it sleeps: no thread runs in `ASLEEP_LOOKS` samples in a row; or
* it dozes: threads wake for a timer, but `_DOZES` times as many samples show all asleep; or
* it runs on and on: it has spent `DEVICE_LIMIT_S` of CPU time since it last said something.

A thread that is ready to run, or that waits for the kernel (a page, a disk), does not sleep. If
neither is seen within `BUSY_LIMIT_S`, nothing is known of the device: that is a harness error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.errors import HarnessError
from vblkfuzz.limits import BUSY_LIMIT_S, DEVICE_LIMIT_S
from vblkfuzz.process.patience import SLICE_S, Patience

if TYPE_CHECKING:
    from collections.abc import Callable

    from vblkfuzz.targets.activity.stillness import Stillness, Threads

ASLEEP_S: Final = SLICE_S
"""Seconds between two samples of a device that does not answer."""
ASLEEP_LOOKS: Final = 6
"""Number of samples in a row that must show a device asleep before that is a hang."""
_DOZES: Final = 5
"""How many times `ASLEEP_LOOKS` samples show a device asleep that wakes between them."""
_STOPPED: Final = frozenset("Tt")
"""States of a thread that is stopped from outside (proc(5))."""
_BY_KERNEL: Final = "D"
"""State of a thread that waits for the kernel, and for no other thread."""


class Silence:
    """The time from a question to its answer."""

    def __init__(
        self,
        still: Stillness,
        *,
        looks: int = ASLEEP_LOOKS,
        heard: Callable[[], int] = lambda: 0,
    ) -> None:
        """Begin to wait.

        Args:
            still: the threads of the device process, and of those that it communicates with.
            looks: as `ASLEEP_LOOKS`, for a device that may sleep longer.
            heard: counts what the device has said; each change shows progress.
        """
        self._still = still
        self._looks = looks
        self._heard = heard
        self._last = heard()
        self._end = still.seconds() + DEVICE_LIMIT_S
        self._asleep = self._dozed = 0
        self._stopped = Patience(DEVICE_LIMIT_S)
        self._busy = Patience(BUSY_LIMIT_S)

    def outlast(self, comes: Callable[[float], bool]) -> bool:
        """Wait for the answer; return whether it comes. False: the device hangs or is stopped.

        A device that has ended is waited for as any other: its end closes its connections, which
        is an answer, too.

        Args:
            comes: waits for it, at most so many seconds; returns whether it is there.

        Raises:
            ActorDied: a process that serves the device has ended.
            HarnessError: it is not known whether the device hangs.
        """
        while True:
            before = self._still.look()
            if comes(ASLEEP_S):
                return True
            if self._is_over(before, self._still.look()):
                return False

    def _is_over(self, before: Threads | None, after: Threads | None) -> bool:
        self._still.lives.check_others()
        device, *others = self._still.states()
        if device and device <= _STOPPED:
            return self._stopped.over
        dozes = all(look and look.asleep and look.main_asleep for look in (before, after))
        sleeps = dozes and before == after
        for_others = not any(_BY_KERNEL in states for states in (device, *others))
        self._asleep = self._asleep + 1 if sleeps and for_others else 0
        self._dozed = self._dozed + 1 if dozes and for_others else 0
        if self._asleep >= self._looks or self._dozed >= _DOZES * self._looks:
            return True
        return self._runs_on()

    def _runs_on(self) -> bool:
        """Whether it has run for too long.

        Raises:
            HarnessError: it has not, but time is up.
        """
        spent, heard = self._still.seconds(), self._heard()
        if heard != self._last:
            self._dozed = 0
            self._last, self._end = heard, spent + DEVICE_LIMIT_S
        if spent > self._end:
            return True
        if self._busy.over:
            raise HarnessError(
                f"no answer within {BUSY_LIMIT_S:g} s from a device that neither sleeps nor has "
                f"run for {DEVICE_LIMIT_S:g} s: the machine is too busy for a verdict"
            )
        return False
