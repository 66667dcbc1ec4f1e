"""Which used entry the driver asks to be called for (EVENT_IDX, virtio 1.2, 2.7.7)."""

from __future__ import annotations

from typing import Final

_HALF: Final = 0x8000
"""Half of all indices."""


def distance(base: int, ahead: int) -> int:
    """Return how far a used_event is from the next used entry; negative: it has passed.

    Args:
        base: where to count from, a position in `scenario.alphabet.guest.BASES`.
        ahead: number of entries, from 0.
    """
    return (ahead, -1 - ahead, _HALF + ahead)[base]
