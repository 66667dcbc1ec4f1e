"""A limit for executions in our own process: a device of a user's that never ends must not end us.

Counted is processor time, so a busy machine makes no hang of a slow execution. The timer is not
SIGALRM's, which libFuzzer uses. A device that waits instead of working is libFuzzer's to end
(``-timeout``), or the user's (ctrl-C).
"""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING, Final

from vblkfuzz.errors import ActorHung

if TYPE_CHECKING:
    from types import TracebackType

_AGAIN_S: Final = 0.1
"""The device may catch what the first signal raises."""


class _Hang(BaseException):
    """Not an Exception: a device that catches those in its endless loop has to end as well."""


def _raise(_number: int, _frame: object) -> None:
    raise _Hang


class CpuLimit:
    """``with limit:`` around an execution raises `ActorHung` if that takes too long.

    `install` first. Python has signals in the main thread only; in others there is no limit.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._installed = False

    def install(self) -> None:
        """Take SIGVTALRM."""
        self._installed = threading.current_thread() is threading.main_thread()
        if self._installed:
            self._before = signal.signal(signal.SIGVTALRM, _raise)

    def remove(self) -> None:
        """Give SIGVTALRM back."""
        if self._installed:
            signal.signal(signal.SIGVTALRM, self._before)

    def __enter__(self) -> None:
        """Start the clock."""
        if self._installed:
            signal.setitimer(signal.ITIMER_VIRTUAL, self._seconds, _AGAIN_S)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop the clock.

        Raises:
            ActorHung: the time was over.
        """
        if self._installed:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        if isinstance(error, _Hang):
            raise ActorHung(f"no end within {self._seconds} s of processor time") from error
