"""A count with its noun, in the words of every view, report and message."""

from __future__ import annotations


def counted(count: int, what: str = "time", several: str = "") -> str:
    """Return a count with its noun; `several`: its plural, if that is not made by an s.

    >>> counted(1, "schedule"), counted(1891, "schedule"), counted(2, "story", "stories")
    ('1 schedule', '1,891 schedules', '2 stories')
    """
    return f"{count:,} {what if count == 1 else several or f'{what}s'}"
