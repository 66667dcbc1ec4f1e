"""How long a worker that ended before its time waits until it is started again.

A worker that works is back after a second, or at once if somebody has killed it: it has failed at
nothing, and its start takes a second anyway. One that fails at each start waits twice as long each
time, up to a minute: it costs next to nothing, and it is there again soon after the cause has gone.
There is no number of attempts after which it is given up.
"""

from __future__ import annotations

from typing import Final

FIRST_S: Final = 1.0
"""Seconds after which a worker is started again that has worked."""
LONGEST_S: Final = 60.0
"""Most seconds between two attempts."""


def next_wait(last_s: float, *, worked: bool, killed: bool = False) -> float:
    """Return how many seconds to wait.

    Args:
        last_s: the wait before the start that has failed now; 0: there was none.
        worked: whether a verdict was given since then.
        killed: whether it was killed from outside.
    """
    if worked and killed:
        return 0.0
    return FIRST_S if worked or not last_s else min(2 * last_s, LONGEST_S)
