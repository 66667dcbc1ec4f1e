"""The driver's part of VIRTIO_F_IN_ORDER: which chains a used entry is about (virtio 1.2, 2.7.9).

A device that has negotiated it uses chains in the order in which they were made available. So one
used entry may stand for several: it has the id of the last of them. The others have been used
completely. The driver does not trust that: an entry that cannot be such a batch is about its own
chain alone, which is then out of order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.virtio.chain import Segment


class InOrder:
    """The chains of one queue, from their publication to their used entry."""

    __slots__ = ("_published", "_writable")

    def __init__(self) -> None:
        self._writable: dict[int, int] = {}
        """By head: bytes that the device may write, of each chain that was added."""
        self._published: dict[int, None] = {}
        """Heads, the oldest first."""

    def copy(self) -> InOrder:
        """Return another one, to look ahead."""
        other = InOrder()
        other._writable, other._published = self._writable, self._published.copy()
        return other

    def add(self, head: int, writable: Sequence[Segment]) -> None:
        """Note a chain that is not published yet."""
        self._writable[head] = sum(length for _, length in writable)

    def publish(self, head: int) -> None:
        """Note that a chain is available; a head that was never added stands for nothing."""
        if head in self._writable:
            self._published[head] = None

    def used(self, head: int, length: int, most: int) -> list[tuple[int, int]]:
        """Return the chains that a used entry is about, each with the bytes written.

        Args:
            head: its id.
            length: its length.
            most: so many chains can be used by now.
        """
        older: list[int] = []
        for each in self._published:
            if each == head:
                break
            older.append(each)
        if head not in self._published or len(older) >= most:
            older = []
        for each in (*older, head):
            self._published.pop(each, None)
        return [*((each, self._writable[each]) for each in older), (head, length)]
