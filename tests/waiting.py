"""Waiting for what happens by itself: an event ends a wait, the bound ends a run that is broken.

A bound is not part of what a test claims. It is the same everywhere, and so long that a machine
which is busy with other things never gets there.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

WAIT_S: Final = 600.0
"""Seconds after which a wait is given up. What is waited for takes milliseconds to seconds."""

_LOOK_S: Final = 0.01
"""Seconds between two looks."""


def until(condition: Callable[[], object]) -> None:
    """Return as soon as `condition()` is true.

    Raises:
        AssertionError: it was false for WAIT_S.
    """
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline, f"not true within {WAIT_S:g} s: {condition}"
        time.sleep(_LOOK_S)
