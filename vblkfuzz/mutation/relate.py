"""Relations between requests: sectors that touch those of another request, or the end of the disk.

Requests with sectors drawn one by one seldom meet. Bugs of data need requests that do: the same
sectors, sectors next to them, some of them, or the last ones of the disk as it is at that place of
the story. Next: `mutation.mutate`, which calls this.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

from vblkfuzz.limits import MAX_DISK_SECTORS, MAX_REQUEST_SECTORS
from vblkfuzz.scenario.alphabet.ops import CODES, PUBLISHES
from vblkfuzz.scenario.codec import OP
from vblkfuzz.scenario.device_header import values_of

if TYPE_CHECKING:
    from vblkfuzz.mutation.draft import Draft

Random = Callable[[], float]

_RESIZE: Final = CODES["resize"]
_DISK_BYTE, _DISK_SECTORS = values_of("disk_sectors")


class Sectors(NamedTuple):
    """The sectors of a request."""

    first: int
    length: int

    @property
    def end(self) -> int:
        """First sector after it."""
        return self.first + self.length


def relate(draft: Draft, random: Random) -> None:
    """Give one request of the story sectors that touch another one or the end of the disk."""
    requests = [at for at, item in enumerate(draft.items) if item[0][0] in PUBLISHES]
    if requests:
        relate_at(draft, requests[int(random() * len(requests))], random)


def move_to_end(draft: Draft, random: Random) -> None:
    """Move a request of the story, and all of the same sectors, to the end of the disk."""
    requests = [at for at, item in enumerate(draft.items) if item[0][0] in PUBLISHES]
    if requests:
        at = requests[int(random() * len(requests))]
        own = sectors_of(draft.items[at][0])
        same = [place for place in requests if sectors_of(draft.items[place][0]) == own]
        _move(draft, same, _last(own, capacity_at(draft, at), random))


def relate_at(draft: Draft, at: int, random: Random) -> None:
    """Do the same with the request at index `at`."""
    others = [
        place for place, item in enumerate(draft.items) if item[0][0] in PUBLISHES and place != at
    ]
    own = sectors_of(draft.items[at][0])
    if others and random() < _TO_ANOTHER:
        other = sectors_of(draft.items[others[int(random() * len(others))]][0])
        _move(draft, [at], _RELATIONS[int(random() * len(_RELATIONS))](own, other))
    else:
        same = [place for place in others if sectors_of(draft.items[place][0]) == own]
        together = [at, *same] if random() < _TOGETHER else [at]
        _move(draft, together, _last(own, capacity_at(draft, at), random))


_TO_ANOTHER: Final = 0.6
"""Probability that a request is related to another one, not to the end of the disk."""
_TOGETHER: Final = 0.75
"""Probability that all requests of the same sectors move to the end of the disk: one of them may
read what another one wrote."""


def _move(draft: Draft, places: list[int], to: Sectors) -> None:
    for at in places:
        record, marks = draft.items[at]
        draft.items[at] = _with_sectors(record, to), marks


def sectors_of(record: bytes) -> Sectors:
    """Return the sectors of a publish."""
    fields = OP.unpack(record)
    return Sectors(fields[4], fields[5] + 1)


def capacity_at(draft: Draft, at: int) -> int:
    """Return the capacity before the operation at index `at`, in sectors."""
    for record, _ in reversed(draft.items[:at]):
        if record[0] == _RESIZE:
            return 1 + int(OP.unpack(record)[4])
    return int(_DISK_SECTORS[draft.config[_DISK_BYTE]])


def _with_sectors(record: bytes, sectors: Sectors) -> bytes:
    first = min(max(sectors.first, 0), MAX_DISK_SECTORS - 1)
    return OP.pack(*OP.unpack(record)[:4], first, sectors.length - 1)


def _last(own: Sectors, capacity: int, random: Random) -> Sectors:
    """Return the last sectors of the disk, often more than before."""
    count = own.length if random() < 0.5 else 1 + int(random() * MAX_REQUEST_SECTORS)
    return Sectors(capacity - count, count)


def _same(own: Sectors, other: Sectors) -> Sectors:
    return other


def _after(own: Sectors, other: Sectors) -> Sectors:
    return Sectors(other.end, own.length)


def _before(own: Sectors, other: Sectors) -> Sectors:
    return Sectors(other.first - own.length, own.length)


def _from_its_last(own: Sectors, other: Sectors) -> Sectors:
    return Sectors(other.end - 1, own.length)


def _to_its_last(own: Sectors, other: Sectors) -> Sectors:
    return Sectors(other.end - own.length, own.length)


_RELATIONS: Final = (*[_same] * 4, _after, _before, _from_its_last, _to_its_last)
"""Repetition is weight."""
