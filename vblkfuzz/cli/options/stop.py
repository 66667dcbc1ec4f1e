"""Ctrl-C, SIGTERM and SIGHUP end the work of a verb, not the process: its results are kept."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from vblkfuzz.errors import ExitStatus, Stopped

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType
    from typing import Self

_SIGNALS: Final = {
    signal.SIGINT: ExitStatus.USER_STOP,
    signal.SIGTERM: ExitStatus.INTERRUPTED,
    signal.SIGHUP: ExitStatus.INTERRUPTED,
}


class Stop:
    """Records a signal that asks for an end; the verb checks it between two steps."""

    def __init__(self) -> None:
        self.status: ExitStatus | None = None
        """Exit status for the first signal; None: there was none."""
        self._before: dict[signal.Signals, signal._HANDLER] = {}

    def __enter__(self) -> Self:
        """Handle the signals, except those that the parent process has set to be ignored."""
        self._handle()
        return self

    def __exit__(self, *_: object) -> None:
        """Restore the former handlers."""
        self._restore()

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Let a signal end the verb now, for work that may wait without end: reading a pipe.

        A call of the system goes on after a handler that only takes a note (PEP 475).
        """
        self._restore()
        try:
            if self.status is not None:
                raise Stopped(self.status)
            yield
        finally:
            self._handle()

    def _handle(self) -> None:
        for number in _SIGNALS:
            if signal.getsignal(number) != signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._note)

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.status = self.status or _SIGNALS[signal.Signals(number)]


@contextmanager
def at_once() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end a verb whose results are kept as they come, as ctrl-C does.

    Raises:
        Stopped: there was one.
    """

    def end(number: int, frame: FrameType | None) -> None:
        raise Stopped(_SIGNALS[signal.Signals(number)])

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
