"""Whose turn it is to be returned, in a device that has negotiated VIRTIO_F_IN_ORDER.

A request that has ended before an older one of its queue waits for its turn (QEMU:
virtqueue_ordered_fill, virtqueue_ordered_flush). Its data and its status are in guest memory by
then. Each has a used entry of its own, as in QEMU.
"""

from __future__ import annotations

from bisect import insort
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vblkfuzz.dataplane.request import Request

Ended = tuple["Request", int]
"""A request, and the number of bytes written."""


class Turns:
    """The requests of one queue that were popped and not returned, by their serial numbers."""

    __slots__ = ("_ended", "_taken")

    def __init__(self) -> None:
        self._taken: list[int] = []
        self._ended: dict[int, Ended] = {}

    def take(self, request: Request) -> None:
        """Note a request that was popped; also one that another device has popped, in any order."""
        insort(self._taken, request.serial)

    def end(self, request: Request, length: int) -> Iterator[Ended]:
        """Note that a request has ended; yield all whose turn it is now.

        One that was forgotten, such as one that has outlived a reset, has its turn at once.
        """
        if request.serial not in self._taken:
            yield request, length
            return
        self.keep(request, length)
        while self._taken and self._taken[0] in self._ended:
            yield self._ended.pop(self._taken.pop(0))

    def keep(self, request: Request, length: int) -> None:
        """Note that a request has ended before a save; its turn comes later."""
        self._ended[request.serial] = request, length

    def forget(self, request: Request) -> None:
        """Note that a request is dropped: it is not returned."""
        self._ended.pop(request.serial, None)
        if request.serial in self._taken:
            self._taken.remove(request.serial)

    def ended(self) -> list[Ended]:
        """Return what has ended and waits for its turn, the oldest first."""
        return [self._ended[serial] for serial in sorted(self._ended)]
