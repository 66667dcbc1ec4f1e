"""Forms of fields of events: text for a number. Next: `kinds`, whose rows name them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from vblkfuzz.virtio.ring_error import RING_ERRORS

DESCRIPTOR: Final = "h{}"
"""The form of a head that is a descriptor index; head 0 is shown, too."""


def word(words: Sequence[str], flag: int) -> str:
    """Return the word of a flag. One without a word is a number: traces may be of any origin.

    >>> word(("off", "on"), 1), word(("off", "on"), 7)
    ('on', 'flag 7')
    """
    return words[flag] if flag < len(words) else f"flag {flag}"


def sectors(value: int) -> str:
    """Return a range of sectors: the first in the low byte, the number of further ones above."""
    first, more = value & 0xFF, value >> 8
    return f"sector {first}..{first + more}" if more else f"sector {first}"


def size(length: int) -> str:
    """Return a number of bytes."""
    return f"{length} byte" if length == 1 else f"{length} bytes"


def ring_error(value: int) -> str:
    """Return the name of a `RingError`, by its code."""
    return RING_ERRORS[value].__name__ if value in RING_ERRORS else str(value)
