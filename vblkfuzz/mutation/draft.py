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
from vblkfuzz.scenario.codec import (
    DEVIATION,
    HEADER,
    LOCKS,
    OP,
    PLACED,
    decode_ops,
    ops_start,
    place_in,
    split_schedule,
)
from vblkfuzz.scenario.device_header import COUNTS, DEVIATIONS, values_of
from vblkfuzz.scenario.place import place_text
from vblkfuzz.scenario.scenario import Go, Role

Mark = tuple[int, int, bytes]
"""A deviation of an item: the point; its `Go`, plus `DELAYED` if stores are delayed, plus `COUNTED`
times a number for role and locks; its place as text, empty if it has none."""
Item = tuple[bytes, tuple[Mark, ...]]
"""An op record and its deviations, ascending, at most one per point, role and locks."""

DELAYED: Final = 8
"""Bit of a mark's second field: stores are delayed."""
COUNTED: Final = 16
"""Factor in a mark's second field of what is counted: twice the `Role`, plus 1 with locks."""
_GOES: Final = len(Go)
_ROLES: Final = 7 << 1
_HOW: Final = tuple(
    delayed + 2 * role + LOCKS * locks
    for role in range(len(Role))
    for locks in range(2)
    for delayed in range(2)
)
"""Last byte of a record, without the bit of a place, by a mark's second field over `DELAYED`."""
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
        count = header[DEVIATIONS] % (limits.MAX_DEVIATIONS + 1)
        start = ops_start(data, count)
        end = min(len(data) - OP.size + 1, start + limits.MAX_OPS * OP.size)
        items = [ITEMS[data[at : at + 8]] for at in range(start, end, 8)]
        if start > HEADER.size:
            _mark(items, data[HEADER.size : start], count)
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
        marks = [
            (index, mark) for index, item in enumerate(self.items) if item[1] for mark in item[1]
        ][: limits.MAX_DEVIATIONS]
        taken = len(marks) * DEVIATION.size + len(_places(marks))
        room = max_size - HEADER.size - taken
        items = self.items[: max(min(room // OP.size, limits.MAX_OPS), 0)]
        marks = [mark for mark in marks if mark[0] < len(items)]
        header = bytearray(self.config)
        header[DEVIATIONS] = len(marks)
        schedule = [
            DEVIATION.pack(index, point, how % DELAYED, _HOW[how // DELAYED] | bool(place) * PLACED)
            for index, (point, how, place) in marks
        ]
        records = [item[0] for item in items]
        return b"".join([header, *schedule, _places(marks), *records])[:max_size]


def _places(marks: list[tuple[int, Mark]]) -> bytes:
    """Return the places of marks as they follow the records."""
    return b"".join([bytes([len(mark[2])]) + mark[2] for _, mark in marks if mark[2]])


def counted(mark: Mark) -> tuple[int, int]:
    """Return point, role and locks of a mark: what differs between all marks of an item."""
    return mark[0], mark[1] // COUNTED


def _mark_of(point: int, go: int, how: int, place: bytes) -> Mark:
    """Return the mark of a record that has a role, as `codec.decode` reads it."""
    role = how >> 1 & 7
    of = 2 * role + (how & LOCKS != 0)
    found = place_in(place)
    text = place_text(found).encode() if found else b""
    return point, go % _GOES + how % 2 * DELAYED + of * COUNTED, text


def _mark(items: list[Item], schedule: bytes, count: int) -> None:
    """Add the deviations in `schedule` to the items; of two at one point, the first counts."""
    records, places = split_schedule(schedule, count)
    for (index, point, go, how), place in zip(DEVIATION.iter_unpack(records), places, strict=True):
        at = index % limits.MAX_OPS
        if at < len(items):
            record, marks = items[at]
            if how & _ROLES:
                mark = _mark_of(point, go, how, place)
            else:
                mark = point, go % _GOES + how % 2 * DELAYED, b""
            if all(counted(mark) != counted(known) for known in marks):
                items[at] = record, tuple(sorted((*marks, mark)))
