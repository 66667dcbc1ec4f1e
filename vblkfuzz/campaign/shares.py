"""Which share of a campaign's new inputs each scheduler decides about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.errors import UsageError
from vblkfuzz.schedule.registry import INPUT, scheduler_of

if TYPE_CHECKING:
    from collections.abc import Iterable

DEFAULT: Final = (f"{INPUT}:8", "pct:1", "surw:1")
"""Shares of a campaign that names none; measured, see docs/decisions/0028-schedulers.md."""
_MOST: Final = 1_000_000


def shares_of(texts: Iterable[str]) -> dict[str, int]:
    """Return the share of each scheduler of texts such as ``pct:3``; without a number it is 1.

    Raises:
        UsageError: there is no such scheduler, it stands there twice, or its share is no number.
    """
    shares: dict[str, int] = {}
    for text in texts:
        name, colon, number = text.partition(":")
        scheduler_of(name)
        if name in shares:
            raise UsageError(f"--schedulers {text}: {name} stands there twice")
        if colon and not (number.isdecimal() and 0 < int(number) <= _MOST):
            raise UsageError(f"--schedulers {text}: expected a share of 1 to {_MOST}")
        shares[name] = int(number) if colon else 1
    return shares
