"""Interruptions of the threads of a device behind a gate: at points that they are known to pass.

How many points a thread passes in an operation is known from runs only: from the last one of the
same story, or else from the last one of that operation in any story. Next: `mutation.mutate`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Final

from vblkfuzz.limits import MAX_POINT
from vblkfuzz.mutation.deviate import mark
from vblkfuzz.mutation.draft import COUNTED, Draft, Mark
from vblkfuzz.scenario.scenario import Go, Role

Random = Callable[[], float]
Counts = tuple[int, ...]
"""Points of each role in one operation, by its number."""
Interruption = tuple[int, Mark]
"""Index of an operation, and the mark that holds a thread in it."""

_MAX_STORIES: Final = 4096
_UNKNOWN: Final[Counts] = tuple({Role.MAIN: 8, Role.IO0: 8}.get(role, 0) for role in Role)
"""What to expect of an operation that never ran."""
_LOCKS: Final = 1 / 8
"""Probability that locks count as well."""
_MOST_LOCKS: Final = 128
"""Points with locks that most operations pass at most."""
_OVER_NEXT: Final = 0.5
"""Probability that a thread is held over the next operation."""
_GOES: Final = {Role.MAIN: int(Go.MAIN), Role.IO0: int(Go.IO0), Role.IO1: int(Go.IO1)}
"""Threads that can go on first."""


class Stops:
    """The points that threads passed in the last runs."""

    def __init__(self) -> None:
        self._stories: dict[bytes, Sequence[Counts]] = {}
        self._same: dict[Counts, Counts] = {}
        """Each of the counts once: an operation passes the same points in most stories."""
        self._codes: dict[int, Counts] = {}

    def note(self, data: bytes, stops: Sequence[Counts]) -> None:
        """Remember a run of a fuzz input; `stops` as in `Trace.stops`."""
        draft = Draft.of(data)
        for (record, _), counts in zip(draft.items, stops, strict=False):
            if counts:
                self._codes[record[0]] = counts
        if len(self._stories) >= _MAX_STORIES:
            self._stories.clear()
            self._same.clear()
        if len(stops) == len(draft.items):
            same = tuple(self._same.setdefault(counts, counts) for counts in stops)
            self._stories[_story(draft)] = same

    def of(self, draft: Draft) -> list[Counts]:
        """Return for each operation of a draft what is known, or what to expect."""
        by_code = [self._codes.get(record[0], _UNKNOWN) for record, _ in draft.items]
        known = self._stories.get(_story(draft), [()] * len(by_code))
        return [counts or other for counts, other in zip(known, by_code, strict=True)]


def _story(draft: Draft) -> bytes:
    """Return a digest of the operations: thousands of stories are kept, for weeks."""
    return blake2b(b"".join([record for record, _ in draft.items]), digest_size=16).digest()


def interrupt(draft: Draft, stops: Stops, random: Random) -> None:
    """Hold a thread at a point of an operation; in most cases drop the other deviations."""
    if random() < 0.75:
        draft.items = [(record, ()) for record, _ in draft.items]
    if found := interruption(draft, stops, random):
        mark(draft, *found)


def interruption(draft: Draft, stops: Stops, random: Random) -> Interruption | None:
    """Choose a thread to hold, at a point of an operation; None: no thread passes one."""
    every = stops.of(draft)
    passing = [at for at, counts in enumerate(every) if any(counts)]
    if not passing:
        return None
    at = passing[int(random() * len(passing))]
    roles = [role for role, count in enumerate(every[at]) if count]
    role = roles[int(random() * len(roles))]
    locks = random() < _LOCKS
    most = _MOST_LOCKS if locks else every[at][role]
    go = _instead_of(role, every, random)
    point = min(int(random() * most), MAX_POINT - 1)
    return at, (point, go + COUNTED * (2 * role + locks), b"")


def _instead_of(role: int, every: Sequence[Counts], random: Random) -> int:
    """Choose what goes on instead of a thread: the next operation, or a thread that has points."""
    others = [
        go
        for other, go in _GOES.items()
        if other != role and any(counts[other] for counts in every if counts)
    ]
    if not others or random() < _OVER_NEXT:
        return int(Go.NEXT)
    return others[int(random() * len(others))]
