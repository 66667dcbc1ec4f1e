"""Counts with their nouns."""

from __future__ import annotations


def plural(number: int, noun: str) -> str:
    """Return a count with its noun.

    >>> plural(1, "schedule"), plural(1891, "schedule")
    ('1 schedule', '1,891 schedules')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
