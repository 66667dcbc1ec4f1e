"""The signals that end the command: ctrl-C, SIGTERM, and the SIGHUP of a terminal that closes.

While the command is loading they end the process at once: there is nothing to clean up. After
that they raise `Stopped`, so that what is open is closed. A verb that keeps results handles them
itself (`cli.options.stop`, `campaign.stop_signals`). A signal that the parent process has set to
be ignored stays ignored: SIGHUP by nohup, SIGINT by a shell's ``&``.
"""

from __future__ import annotations

import os
import signal

from vblkfuzz.errors import Stopped

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing is slow to import, and until the handlers are set ctrl-C is not quiet
    from types import FrameType
    from typing import Final

_STATUS: Final = {signal.SIGINT: 130, signal.SIGTERM: 72, signal.SIGHUP: 72}
"""Exit status by signal; as in `errors.ExitStatus`."""
_IMPORT: Final = "<frozen importlib._bootstrap>"
_LATER_S: Final = 0.02


def end_at_once() -> None:
    """Let the signals end the process, quietly and with their exit status."""
    for number in _STATUS:
        _handle(number, lambda number, _frame: os._exit(_STATUS[signal.Signals(number)]))


def end_in_order() -> None:
    """Let the signals raise `Stopped`; a second one ends the process at once."""
    for number in _STATUS:
        _handle(number, _stop)


def _handle(number: signal.Signals, handler: signal._HANDLER) -> None:
    if signal.getsignal(number) is not signal.SIG_IGN:
        signal.signal(number, handler)


def _stop(number: int, frame: FrameType | None) -> None:
    end_at_once()
    status = _STATUS[signal.Signals(number)]
    if _importing(frame):
        # The import system drops exceptions in some places: raise this one after the import.
        signal.signal(signal.SIGALRM, lambda _, later: _raise_later(status, later))
        signal.setitimer(signal.ITIMER_REAL, _LATER_S, _LATER_S)
        return
    raise Stopped(status)


def _raise_later(status: int, frame: FrameType | None) -> None:
    if not _importing(frame):
        signal.setitimer(signal.ITIMER_REAL, 0)
        raise Stopped(status)


def _importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename == _IMPORT:
            return True
        frame = frame.f_back
    return False
