"""The command line: verbs, their output and exit codes. `main` is the console script."""

from __future__ import annotations

import os
import signal
from typing import NoReturn

from vblkfuzz.cli.standard_streams import guard

__all__ = ["main"]


def main() -> NoReturn:
    """Load the command line and run it; ctrl-C ends the program at once while it is loading."""
    ctrl_c = signal.getsignal(signal.SIGINT)
    if ctrl_c is not signal.SIG_IGN:
        # Not an exception: what it interrupts would report it in ways of its own.
        signal.signal(signal.SIGINT, lambda *_: os._exit(128 + signal.SIGINT))
    guard()
    from vblkfuzz.cli.app import main as run

    signal.signal(signal.SIGINT, ctrl_c)
    run()
