"""A device that sleeps although an answer is due: it hangs, and needs no longer wait to say so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from vblkfuzz.targets.stillness import Stillness

ASLEEP_S: Final = 0.1
"""Seconds between two samples of a device that does not answer."""
ASLEEP_LOOKS: Final = 6
"""Number of samples in a row that must show a device asleep before that is a hang."""


def sleeps_on(still: Stillness, comes: Callable[[float], bool]) -> bool:
    """Whether no thread runs in `ASLEEP_LOOKS` samples in a row, although an answer is due.

    Args:
        still: the threads of the device process, and of those that it communicates with.
        comes: waits for the answer, at most so many seconds; returns whether it has arrived.
    """
    found: list[bool] = []
    return all(
        still.sleeps_through(lambda: found.append(comes(ASLEEP_S))) and not any(found)
        for _ in range(ASLEEP_LOOKS)
    )
