"""A span of time as users write it: 8m, 90s, 1h30m, or seconds."""

from __future__ import annotations

import re
from typing import Final

from vblkfuzz.errors import UsageError

_FORM: Final = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?|(\d+)")


def seconds_of(text: str, option: str) -> int:
    """Return a span in seconds, at least one.

    Raises:
        UsageError: the text is none; it names the option.

    >>> seconds_of("8m", "--budget"), seconds_of("1h30m", "--budget"), seconds_of("90", "--budget")
    (480, 5400, 90)
    """
    found = _FORM.fullmatch(text)
    hours, minutes, seconds, alone = (
        (int(one or 0) for one in found.groups()) if found else (0,) * 4
    )
    span = 3600 * hours + 60 * minutes + seconds + alone
    if not span:
        raise UsageError(f"{option}: expected a time such as 8m, 90s or 1h30m, found {text!r}")
    return span
