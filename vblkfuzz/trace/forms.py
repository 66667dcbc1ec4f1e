"""Forms of numbers in the rows of `kinds` that are more than a format string."""

from __future__ import annotations

from vblkfuzz.virtio.ring_error import RING_ERRORS


def sectors(value: int) -> str:
    """Return the sectors of a request: the first in the low byte, the number of further ones."""
    first, more = value & 0xFF, value >> 8
    return f"sector {first}..{first + more}" if more else f"sector {first}"


def byte_count(length: int) -> str:
    """Return a number of bytes."""
    return f"{length} byte" if length == 1 else f"{length} bytes"


def ring_error(value: int) -> str:
    """Return the name of a ring error by its code."""
    return RING_ERRORS[value].__name__ if value in RING_ERRORS else str(value)
