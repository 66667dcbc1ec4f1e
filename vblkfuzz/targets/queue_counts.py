"""What a device counts of a queue, as far as its operator can read it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vblkfuzz.trace.kinds import ENABLE_READ

if TYPE_CHECKING:
    from vblkfuzz.targets.recorder import Recorder

_U16: Final = 0xFFFF
_IN_USE, _TAKEN, _USED = 2, 3, 4
"""Flags of an ENABLE_READ."""


class QueueCounts(NamedTuple):
    """The counts of one queue; of negative or larger ones the lower 16 bits are recorded."""

    queue: int
    in_use: int
    """Requests that are dequeued and not pushed."""
    taken: int
    """last_avail_idx."""
    used: int
    """used_idx."""

    def tell(self, recorder: Recorder) -> None:
        """Record them."""
        for flag, count in ((_IN_USE, self.in_use), (_TAKEN, self.taken), (_USED, self.used)):
            recorder.tell(ENABLE_READ, queue=self.queue, flag=flag, value=count & _U16)
