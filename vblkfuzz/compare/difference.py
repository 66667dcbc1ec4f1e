"""Where the views of several devices differ, each from several runs of one scenario.

A difference counts only if it repeats:

* Two devices differ in how they end, or in a finding, if one shows a value in more than half of its
  runs that the other shows in none. Bugs may be up to the clock, and no device is free to have any.
* In all else they differ if each shows one value in all runs, and not the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import permutations
from typing import TYPE_CHECKING, Final, NamedTuple

from vblkfuzz.compare.view import ENDING, FINDING

if TYPE_CHECKING:
    from vblkfuzz.compare.key import Key
    from vblkfuzz.compare.view import View

CONSTANT: Final = "feature"
"""The kind of what a device shows in each run alike: no scenario changes it."""
UNKNOWN: Final = "-"
"""The value of a device that cannot say."""
VARIES: Final = "varies"
"""The value of a device that shows several, none of them in more than half of its runs."""
_BUGS: Final = frozenset({FINDING, ENDING})
_INDEPENDENT: Final = frozenset({FINDING, CONSTANT, "memory"})
"""Kinds of which all differences are given, since none follows from another."""


class Difference(NamedTuple):
    """One place in the guest's view where devices differ."""

    kind: str
    what: str
    values: tuple[str, ...]
    """One for each device."""


def differences(runs: Sequence[Sequence[View]]) -> list[Difference]:
    """Return where devices differ; of most kinds only the first place.

    Args:
        runs: the views of each device.
    """
    found = []
    told: set[str] = set()
    for key in _keys(runs):
        counts = [_counts(key, views) for views in runs]
        if key.kind not in told and _differ(key, counts):
            found.append(Difference(key.kind, key.what, tuple(map(_text, counts))))
            if key.kind not in _INDEPENDENT:
                told.add(key.kind)
    return found


def _keys(runs: Sequence[Sequence[View]]) -> Iterator[Key]:
    yield from dict.fromkeys(key for views in runs for view in views for key in view.sights)


def _counts(key: Key, views: Sequence[View]) -> Counter[str]:
    values = (view.value(key) for view in views)
    return Counter(value for value in values if value is not None)


def _differ(key: Key, counts: Sequence[Counter[str]]) -> bool:
    if key.kind not in _BUGS:
        return len({value for one in counts if len(one) == 1 for value in one}) > 1
    return any(
        _most(one) and _most(one) not in other for one, other in permutations(counts, 2) if other
    )


def _most(counts: Counter[str]) -> str:
    """Return the value of more than half of the runs; empty: there is none."""
    return next((value for value, count in counts.items() if 2 * count > counts.total()), "")


def _text(counts: Counter[str]) -> str:
    if not counts:
        return UNKNOWN
    most = _most(counts)
    if len(counts) == 1:
        return most
    return f"mostly {most}" if most else VARIES
