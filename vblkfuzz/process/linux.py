"""What processes of the model need of the system: eventfd(2), pidfd_open(2), prctl(2) of Linux."""

from __future__ import annotations

import os

from vblkfuzz.errors import HarnessError
from vblkfuzz.suggestion import SEE_DOCTOR


def check_linux() -> None:
    """Check, before processes start, that the system has these calls.

    Raises:
        HarnessError: it is another system than Linux.
    """
    if not (hasattr(os, "eventfd") and hasattr(os, "pidfd_open")):
        raise HarnessError(
            "processes of the model need Linux (eventfd, pidfd); elsewhere only the built-in"
            f" revisions run, with --mode inline{SEE_DOCTOR}"
        )
