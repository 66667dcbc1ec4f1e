"""A time limit for executions: a looping device would hang the process that runs it.

The limit is in processor time, so a slow execution on a busy machine is not reported as a hang.
The timer is ITIMER_VIRTUAL, because libFuzzer uses SIGALRM. A device that sleeps uses no processor
time; in mode processes the supervisor ends it, inline libFuzzer (``-timeout``) or the user does
(ctrl-C).

Python calls a handler between two of its own instructions, so a loop in C (`pow`, a regular
expression) never sees it, nor does one that catches whatever is raised. In a process that may be
lost, a second timer then ends it by SIGPROF, whose default action no Python code is needed for.

To find the function that does not end, the stack is looked at several times: that function is on it
each time, while those that it calls in its loop come and go.
"""

from __future__ import annotations

import signal
import threading
import traceback
from typing import TYPE_CHECKING, Final

from vblkfuzz.errors import ActorHung

if TYPE_CHECKING:
    from types import CodeType, FrameType, TracebackType

_LOOKS: Final = 8
"""Looks at the stack after the limit."""
_LOOK_S: Final = 0.02
"""Seconds of processor time between two of them."""
DEADLY: Final = signal.SIGPROF
"""What ends a process that goes on and on."""
_DEADLY_S: Final = 1.0
"""Seconds of processor time after the limit in which the process is ended, if it may be."""
_AGAIN_S: Final = 0.5
"""Seconds until the next attempt: the device may catch the first exception."""


class Hang(BaseException):
    """A BaseException, so that an endless loop with ``except Exception`` ends as well."""

    def __init__(self, stays: list[CodeType], stack: str) -> None:
        super().__init__("it does not end")
        self.stays = stays
        """Functions that were on the stack at each look, in the same call; outermost first."""
        self.stack = stack
        """The last look, as text."""


class CpuLimit:
    """``with limit:`` around an execution raises `ActorHung` if the execution takes too long.

    `Hang` is raised within the execution. Call `install` first. Python handles signals in the main
    thread only, so there is no limit in other threads. The limit is in seconds of processor time.
    """

    def __init__(self, seconds: float, *, deadly: bool = False) -> None:
        """`deadly`: end the process by SIGPROF if it goes on, also outside the main thread."""
        self._seconds = seconds
        self._deadly = deadly
        self._installed = False
        self._running = False
        self._looks: list[list[FrameType]] = []

    def install(self) -> None:
        """Install the handler of SIGVTALRM; does nothing outside the main thread."""
        self._installed = threading.current_thread() is threading.main_thread()
        if self._installed:
            self._before = signal.signal(signal.SIGVTALRM, self._look)

    def remove(self) -> None:
        """Restore the previous handler of SIGVTALRM."""
        if self._installed:
            signal.signal(signal.SIGVTALRM, self._before)

    def __enter__(self) -> None:
        """Start the timer."""
        if self._installed:
            self._running = True
            signal.setitimer(signal.ITIMER_VIRTUAL, self._seconds, _LOOK_S)
        if self._deadly:
            signal.setitimer(signal.ITIMER_PROF, self._seconds + _DEADLY_S)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop the timer.

        Raises:
            ActorHung: the limit was reached.
        """
        if self._installed:
            self._running = False
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            self._looks.clear()
        if self._deadly:
            signal.setitimer(signal.ITIMER_PROF, 0)
        if isinstance(error, Hang):
            raise ActorHung(f"no end within {self._seconds} s of processor time") from error

    def _look(self, _number: int, frame: FrameType | None) -> None:
        if not self._running:
            return  # the signal came when the execution had just ended
        self._looks.append(_stack(frame))
        if len(self._looks) < _LOOKS:
            return
        stays = [
            frames[0].f_code
            for frames in zip(*self._looks, strict=False)
            if all(one is frames[0] for one in frames)
        ]
        self._looks.clear()
        signal.setitimer(signal.ITIMER_VIRTUAL, _AGAIN_S, _LOOK_S)
        raise Hang(stays, "".join(traceback.format_stack(frame)))


def _stack(frame: FrameType | None) -> list[FrameType]:
    """Return a stack, outermost first."""
    found = []
    while frame is not None:
        found.append(frame)
        frame = frame.f_back
    return found[::-1]
