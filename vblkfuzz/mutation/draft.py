"""A draft: an input in the form that the mutator edits, made from fuzz bytes and packed into them.

An item of a draft is an op record together with its deviations. A deviation therefore stays with
its operation when items are inserted, removed or moved, and every edit is a list edit. No
`Scenario` is built, for speed: this runs once per execution. Layout: `scenario.codec`.
"""

from __future__ import annotations

from typing import Final

from vblkfuzz import limits
from vblkfuzz.mutation.story_state import NEXT
from vblkfuzz.scenario.alphabet.spec import POLLING
from vblkfuzz.scenario.codec import DEVIATION, HEADER, OP, decode_ops
from vblkfuzz.scenario.device_header import COUNTS, DEVIATIONS, values_of
from vblkfuzz.scenario.scenario import Go

Mark = tuple[int, int]
"""A deviation of an item: the point, and its `Go`, plus `DELAYED` if stores are delayed."""
Item = tuple[bytes, tuple[Mark, ...]]
"""An op record and its deviations, ascending, at most one per point."""

DELAYED: Final = 8
"""Bit of a mark's second field: stores are delayed."""
_GOES: Final = len(Go)
_POLLING_BYTE, _POLLS = values_of("polling")
_MAX_REMEMBERED: Final = 1 << 14


class _Items(dict[bytes, Item]):
    """A cache of items without deviations, by record; the item has the canonical record."""

    def __missing__(self, record: bytes) -> Item:
        if len(self) >= _MAX_REMEMBERED:
            self.clear()
        self[record] = item = (OP.pack(*decode_ops(record)[0]), ())
        return item


ITEMS: Final = _Items()
"""``ITEMS[record]`` is the item for any 8 bytes."""


class Draft:
    """One input while it is edited."""

    __slots__ = ("config", "items")

    def __init__(self, config: list[int], items: list[Item]) -> None:
        self.config = config
        """The header bytes, each less than its `COUNTS`; the byte of the deviations is 0."""
        self.items = items

    @classmethod
    def of(cls, data: bytes) -> Draft:
        """Return the draft for any bytes, read as `codec.decode` reads them."""
        header = data[: HEADER.size].ljust(HEADER.size, b"\0")
        config = [value % count for value, count in zip(header, COUNTS, strict=True)]
        start = HEADER.size + header[DEVIATIONS] % (limits.MAX_DEVIATIONS + 1) * DEVIATION.size
        end = min(len(data) - OP.size + 1, start + limits.MAX_OPS * OP.size)
        items = [ITEMS[data[at : at + 8]] for at in range(start, end, 8)]
        if start > HEADER.size:
            _mark(items, data[HEADER.size : start])
        return cls(config, items)

    @property
    def first_state(self) -> int:
        """The story state before the first operation."""
        return POLLING if _POLLS[self.config[_POLLING_BYTE]] else 0

    def state_before(self, at: int) -> int:
        """Return the story state before the operation at index `at`."""
        state = self.first_state
        for record, _ in self.items[:at]:
            state = NEXT[state][record[0]]
        return state

    def marks(self) -> int:
        """Return the number of deviations."""
        return sum([len(item[1]) for item in self.items if item[1]])

    def pack(self, max_size: int) -> bytes:
        """Return at most `max_size` canonical bytes; operations beyond that are dropped.

        If `max_size` is less than 8, the result is the beginning of the header, not canonical.
        """
        count = min(self.marks(), limits.MAX_DEVIATIONS)
        room = (max_size - HEADER.size - count * DEVIATION.size) // OP.size
        items = self.items[: max(min(room, limits.MAX_OPS), 0)]
        schedule = [
            DEVIATION.pack(index, point, go % DELAYED, go // DELAYED)
            for index, item in enumerate(items)
            if item[1]
            for point, go in item[1]
        ][: limits.MAX_DEVIATIONS]
        header = bytearray(self.config)
        header[DEVIATIONS] = len(schedule)
        return b"".join([header, *schedule, *[item[0] for item in items]])[:max_size]


def _mark(items: list[Item], schedule: bytes) -> None:
    """Add the deviations in `schedule` to the items; of two at one point, the first counts."""
    schedule = schedule.ljust(-len(schedule) % DEVIATION.size + len(schedule), b"\0")
    for index, point, go, delayed in DEVIATION.iter_unpack(schedule):
        at = index % limits.MAX_OPS
        if at < len(items):
            record, marks = items[at]
            if all(point != known for known, _ in marks):
                how = go % _GOES + delayed % 2 * DELAYED
                items[at] = record, tuple(sorted((*marks, (point, how))))
