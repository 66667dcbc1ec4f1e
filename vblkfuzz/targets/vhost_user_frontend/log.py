"""What the back-end process tells, in shared memory: dequeues, and messages of the front-end.

The back-end appends records; the fuzz process reads those that are new. START clears the log.
"""

from __future__ import annotations

import mmap
from struct import Struct
from typing import Final, NamedTuple

from vblkfuzz.errors import HarnessError

_RECORD: Final = Struct("<BBBxHHI")
_HEAD: Final = 16
"""Bytes before the first record: four words."""
_BYTES: Final = 1 << 20
_MOST: Final = (_BYTES - _HEAD) // _RECORD.size
_COUNT, _CONNECTED, _GREETED, _OWES = range(4)
"""The words: the number of records, and a bit for each machine with a connection, greeted or not,
for each with a greeting on it, and for each that waits for a late answer."""


class Told(NamedTuple):
    """A dequeue, or an event of the connection."""

    kind: int
    """Of the event: POP, or one of `trace.vhost_kinds`."""
    queue: int
    flag: int = 0
    head: int = 0
    value: int = 0
    length: int = 0

    @property
    def fields(self) -> dict[str, int]:
        """Return the fields of the event, but for its kind."""
        fields = self._asdict()
        del fields["kind"]
        return fields


class Log:
    """Created before the back-end process is forked; each side uses its copy of the object."""

    def __init__(self) -> None:
        self._bytes: Final = memoryview(mmap.mmap(-1, _BYTES))
        self._words: Final = self._bytes[:_HEAD].cast("I")
        self._read = 0

    # --- The back-end's side ------------------------------------------------------------------

    def clear(self) -> None:
        """Drop all records."""
        self._words[_COUNT] = 0

    def tell(self, told: Told) -> None:
        """Append a record; one that does not fit is counted only."""
        count = self._words[_COUNT]
        if count < _MOST:
            _RECORD.pack_into(self._bytes, _HEAD + count * _RECORD.size, *told)
        self._words[_COUNT] = count + 1

    def note(self, *, connected: int, greeted: int, owes: int) -> None:
        """Store which machines have a connection, a greeting on it, and wait for a late answer."""
        words = connected, greeted, owes
        self._words[_CONNECTED], self._words[_GREETED], self._words[_OWES] = words

    # --- The fuzz process's side --------------------------------------------------------------

    def forget(self) -> None:
        """Begin to read again at the first record."""
        self._read = 0

    def take(self) -> list[Told]:
        """Return the records since the last call.

        Raises:
            HarnessError: there were too many.
        """
        count = self._words[_COUNT]
        if count > _MOST:
            raise HarnessError(f"back-end: {count} records, expected at most {_MOST}")
        places = range(
            _HEAD + self._read * _RECORD.size, _HEAD + count * _RECORD.size, _RECORD.size
        )
        self._read = count
        return [Told(*_RECORD.unpack_from(self._bytes, place)) for place in places]

    def is_connected(self, machine: int) -> bool:
        """Whether a machine has a connection."""
        return bool(self._words[_CONNECTED] >> machine & 1)

    def is_greeted(self, machine: int) -> bool:
        """Whether the front-end of a machine has greeted on its connection."""
        return bool(self._words[_GREETED] >> machine & 1)

    def owes(self, machine: int) -> bool:
        """Whether a machine waits for an answer that comes late."""
        return bool(self._words[_OWES] >> machine & 1)
