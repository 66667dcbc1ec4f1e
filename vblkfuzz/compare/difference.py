"""Where the views of several devices differ, each from several runs of one scenario.

A difference counts only if it repeats: at least two devices show different values, and each of the
two shows its value in every run. A device that shows several values is unsteady there; it is named,
but it is no side of a difference.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from vblkfuzz.compare.view import FINDING

if TYPE_CHECKING:
    from vblkfuzz.compare.key import Key
    from vblkfuzz.compare.view import View

UNKNOWN: Final = "-"
"""The value of a device that cannot say."""
VARIES: Final = "varies"
_INDEPENDENT: Final = frozenset({FINDING, "feature", "memory"})
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
        values = tuple(_value(key, views) for views in runs)
        if len({*values} - {UNKNOWN, VARIES}) > 1 and key.kind not in told:
            found.append(Difference(key.kind, key.what, values))
            if key.kind not in _INDEPENDENT:
                told.add(key.kind)
    return found


def _keys(runs: Sequence[Sequence[View]]) -> Iterator[Key]:
    yield from dict.fromkeys(key for views in runs for view in views for key in view.sights)


def _value(key: Key, views: Sequence[View]) -> str:
    values = {view.value(key) for view in views}
    if len(values) != 1:
        return VARIES
    return values.pop() or UNKNOWN
