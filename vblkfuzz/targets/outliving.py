"""Requests that may outlive a reset: it ended them, and the device had not pushed them.

If the device pushes one of them all the same, the reset is the cause, however late that is.
"""

from __future__ import annotations


class Outliving:
    """The resets that unfinished requests may have outlived."""

    def __init__(self) -> None:
        self._resets: dict[tuple[int, int], list[int]] = {}
        """By queue and head: paths of the resets, the oldest first."""

    def add(self, queue: int, head: int, path: int) -> None:
        """Note that a reset ended a request.

        Args:
            queue: its queue.
            head: its head.
            path: causal path of the reset.
        """
        self._resets.setdefault((queue, head), []).append(path)

    def ended_by(self, queue: int, head: int, length: int) -> int:
        """Return the path of the reset that a push without a request is due to; 0: none is known.

        An entry of zeroes is one that the device has skipped: it counts its used idx on from
        earlier rings, in which it has pushed before.

        Args:
            queue: the queue of the push.
            head: the head in its used entry.
            length: the length in its used entry.
        """
        resets = self._resets.get((queue, head))
        if resets:
            return resets.pop(0)
        if head or length:
            return 0
        late = (paths for (of, _), paths in self._resets.items() if of == queue and paths)
        return next(late, [0])[0]
