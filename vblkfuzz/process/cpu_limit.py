"""A time limit for executions in the calling process, which a looping device would hang.

The limit is in processor time, so a slow execution on a busy machine is not reported as a hang.
The timer is ITIMER_VIRTUAL, because libFuzzer uses SIGALRM. A device that sleeps uses no processor
time; libFuzzer ends it (``-timeout``), or the user does (ctrl-C).
"""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING, Final

from vblkfuzz.errors import ActorHung

if TYPE_CHECKING:
    from types import TracebackType

_AGAIN_S: Final = 0.1
"""Seconds between signals after the first one: the device may catch the first exception."""


class _Hang(BaseException):
    """A BaseException, so that an endless loop with ``except Exception`` ends as well."""


def _raise(_number: int, _frame: object) -> None:
    raise _Hang


class CpuLimit:
    """``with limit:`` around an execution raises `ActorHung` if the execution takes too long.

    Call `install` first. Python handles signals in the main thread only, so there is no limit in
    other threads. The limit is in seconds of processor time.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._installed = False

    def install(self) -> None:
        """Install the handler of SIGVTALRM; does nothing outside the main thread."""
        self._installed = threading.current_thread() is threading.main_thread()
        if self._installed:
            self._before = signal.signal(signal.SIGVTALRM, _raise)

    def remove(self) -> None:
        """Restore the previous handler of SIGVTALRM."""
        if self._installed:
            signal.signal(signal.SIGVTALRM, self._before)

    def __enter__(self) -> None:
        """Start the timer."""
        if self._installed:
            signal.setitimer(signal.ITIMER_VIRTUAL, self._seconds, _AGAIN_S)

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
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        if isinstance(error, _Hang):
            raise ActorHung(f"no end within {self._seconds} s of processor time") from error
