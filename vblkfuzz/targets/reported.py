"""What the guest has reported and no look has recorded yet."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from vblkfuzz.trace.kinds import PUBLISH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.driver.published import Published
    from vblkfuzz.trace.event import Event


class Reported:
    """Events, and what each PUBLISH among them is about."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._published: deque[tuple[int, Published]] = deque()
        """With the queue of each."""

    def add(self, events: Sequence[Event], published: Sequence[Published]) -> None:
        """Take what the guest reports next."""
        self.events.extend(events)
        if published:
            queues = [event.queue for event in events if event.kind == PUBLISH]
            self._published.extend(zip(queues, published, strict=True))

    def take_events(self) -> list[Event]:
        """Return the events, which are recorded now; `take_published` for each PUBLISH."""
        events, self.events = self.events, []
        return events

    def take_published(self) -> Published:
        """Return what the next PUBLISH is about."""
        return self._published.popleft()[1]

    def published_in(self, queue: int) -> list[Published]:
        """Return what was published in a queue."""
        return [one for of, one in self._published if of == queue]
