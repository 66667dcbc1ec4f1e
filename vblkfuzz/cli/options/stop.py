"""Ctrl-C and SIGTERM end what a verb does, not the process: it keeps what it has so far."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Final

from vblkfuzz.errors import ExitStatus

if TYPE_CHECKING:
    from types import FrameType
    from typing import Self

_SIGNALS: Final = {
    signal.SIGINT: ExitStatus.USER_STOP,
    signal.SIGTERM: ExitStatus.INTERRUPTED,
}


class Stop:
    """Whether the user wants an end. Taken between two steps, so that what is there is kept."""

    def __init__(self) -> None:
        self.status: ExitStatus | None = None
        """Why it was stopped; None: it was not."""
        self._before: dict[signal.Signals, signal._HANDLER] = {}

    def __enter__(self) -> Self:
        """Take the signals, except those that whoever started us wants ignored."""
        for number in _SIGNALS:
            if signal.getsignal(number) != signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        """Give them back."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.status = self.status or _SIGNALS[signal.Signals(number)]
