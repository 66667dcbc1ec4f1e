"""A span of time as users write it: 8m, 90s, 1h30m, or a number. Every option of a time has it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from vblkfuzz.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

_FORM: Final = re.compile(r"(?:([0-9]+)h)?(?:([0-9]+)m)?(?:([0-9]+)s)?")
_NUMBER: Final = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_UNITS: Final = {"seconds": 1, "minutes": 60}
_MOST_S: Final = 366 * 24 * 3600
"""Seconds of a year: a longer span is a mistake."""


def span(option: str, unit: str = "seconds", zero: str = "") -> Callable[[str | float], float]:
    """Return the parser of an option: it returns a span in `unit`, and raises UsageError.

    A span is a year at most, and neither negative, infinite nor NaN.

    Args:
        option: as the user types it, for the error.
        unit: of a number alone, and of what the parser returns: seconds or minutes.
        zero: what 0 means; empty: 0 is refused.

    >>> budget = span("--budget")
    >>> budget("8m"), budget("1h30m"), budget("90")
    (480.0, 5400.0, 90.0)
    >>> span("--minutes", "minutes")("90s")
    1.5
    """

    def parsed(text: str | float) -> float:
        seconds = _seconds(str(text), _UNITS[unit])
        if seconds is None or seconds > _MOST_S or (seconds == 0 and not zero):
            form = f"expected a time such as 8m, 90s, 1h30m, or a number of {unit}"
            least = f"0 means {zero}" if zero else "more than 0"
            raise UsageError(f"{option}: {form}; {least}, at most a year; found {str(text)!r}")
        return seconds / _UNITS[unit]

    return parsed


def _seconds(text: str, unit_s: int) -> float | None:
    """Return the span that a text stands for; None: it is none."""
    if _NUMBER.fullmatch(text):
        return float(text) * unit_s
    found = _FORM.fullmatch(text)
    if found is None or not text:
        return None
    hours, minutes, seconds = (int(one or 0) for one in found.groups())
    return float(3600 * hours + 60 * minutes + seconds)
