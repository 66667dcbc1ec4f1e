"""Find the earlier event of a clash.

This is done only for a violation, so that rules need not keep events that they rarely use.
"""

from __future__ import annotations

from collections.abc import Sequence

from vblkfuzz.trace.event import Event
from vblkfuzz.trace.kinds import CANCEL, RESET_RET


def last_before(event: Event, events: Sequence[Event], kinds: frozenset[int]) -> Event:
    """Return the last event of `kinds` before `event` that concerns its queue or its request.

    A reset concerns every queue. Returns `event` itself if there is none.
    """
    found = event
    for earlier in events:
        if earlier is event:
            break
        if earlier.kind in kinds and _concerns(earlier, event):
            found = earlier
    return found


def _concerns(earlier: Event, event: Event) -> bool:
    if earlier.kind == RESET_RET:
        return True
    if earlier.kind == CANCEL:
        return earlier.request == event.request
    return earlier.queue == event.queue
