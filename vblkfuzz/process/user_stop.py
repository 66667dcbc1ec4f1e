"""Ctrl-C while a device runs in our own process: told from a KeyboardInterrupt of the device's."""

from __future__ import annotations

import signal
import threading
from typing import NoReturn


class UserStop(KeyboardInterrupt):
    """The user pressed ctrl-C."""


def _raise(_number: int, _frame: object) -> NoReturn:
    raise UserStop


class UserStops:
    """Between `install` and `remove` Python's own answer to ctrl-C is `UserStop`.

    Whoever has another answer keeps it.
    """

    def __init__(self) -> None:
        self._installed = False

    def install(self) -> None:
        """Take SIGINT, if it is Python's."""
        in_main = threading.current_thread() is threading.main_thread()
        self._installed = in_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler
        if self._installed:
            signal.signal(signal.SIGINT, _raise)

    def remove(self) -> None:
        """Give it back, unless somebody else has it by now."""
        if self._installed and signal.getsignal(signal.SIGINT) is _raise:
            signal.signal(signal.SIGINT, signal.default_int_handler)
