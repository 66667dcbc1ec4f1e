"""A count with its noun, in the words of every view, report and message."""

from __future__ import annotations


def counted(count: int, what: str = "time") -> str:
    """Return a count with its noun.

    >>> counted(1, "schedule"), counted(1891, "schedule")
    ('1 schedule', '1,891 schedules')
    """
    return f"{count:,} {what}{'' if count == 1 else 's'}"
