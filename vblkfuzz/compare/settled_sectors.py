"""Sectors whose content does not depend on the order in which a device serves requests.

Two requests that are under way at the same time may be served in any order. If they share a sector
and one of them changes it, its content is open from then on. So it is after a change that failed,
or that a reset ended, and after a discard.
"""

from __future__ import annotations

from typing import Final

from vblkfuzz.scenario.alphabet.shape import REQUESTS

_READS: Final = REQUESTS.index("in")
_DISCARD: Final = REQUESTS.index("discard")
_CHANGES: Final = frozenset(
    REQUESTS.index(name) for name in ("out", "discard", "write_zeroes", "unsupported")
)


class SettledSectors:
    """The disk, as far as the guest can know it."""

    def __init__(self, *, known: bool) -> None:
        self._known = known
        """False: nothing is known of any sector."""
        self._open: set[int] = set()
        self._under_way: dict[int, tuple[int, range]] = {}
        """Type and sectors of requests, by number."""

    def begin(self, number: int, code: int, sectors: range) -> None:
        """Note that a request is published."""
        if code == _DISCARD:
            self._open.update(sectors)
        if code in _CHANGES or code == _READS:
            for other, others in self._under_way.values():
                if code in _CHANGES or other in _CHANGES:
                    self._open.update(set(sectors) & set(others))
            self._under_way[number] = code, sectors

    def end(self, number: int) -> None:
        """Note that a request is in the used ring: one that is published later is served later."""
        self._under_way.pop(number, None)

    def doubt(self, number: int, code: int, sectors: range) -> None:
        """Note that it is not known what a request has changed."""
        self.end(number)
        if code in _CHANGES:
            self._open.update(sectors)

    def forget(self) -> None:
        """Note that any sector may have any content."""
        self._known = False

    def settled(self, sector: int) -> bool:
        """Whether the content of a sector is the same on each right device."""
        return self._known and sector not in self._open
