"""Defects of outcomes: the driver is told a wrong status, a wrong length or a wrong id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.dataplane.defects.defect import Defect
from vblkfuzz.dataplane.virtio_blk import VirtioBlk
from vblkfuzz.virtio.blk import STATUS_SIZE

if TYPE_CHECKING:
    from vblkfuzz.dataplane.request import Request
    from vblkfuzz.dataplane.thread import Thread


class _LengthWithoutStatus(VirtioBlk):
    def push(self, thread: Thread, request: Request, length: int) -> None:
        super().push(thread, request, length - STATUS_SIZE)


class _LengthOfLast(VirtioBlk):
    _last = STATUS_SIZE

    def push(self, thread: Thread, request: Request, length: int) -> None:
        self._last, length = length, self._last
        super().push(thread, request, length)


FAMILY: Final = (
    Defect(
        "length_without_status",
        2026,
        "vblkfuzz",
        "The length of a used entry does not count the status byte.",
        ("S22",),
        (_LengthWithoutStatus,),
    ),
    Defect(
        "length_of_last",
        2026,
        "vblkfuzz",
        "A used entry has the length of the request that was pushed before.",
        ("S22",),
        (_LengthOfLast,),
    ),
)
