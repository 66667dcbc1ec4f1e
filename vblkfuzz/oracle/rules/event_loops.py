"""Which event loops watch a queue: what an attach and a detach have left.

A detach removes the handler from the event loop that it names and from no other, as
aio_set_event_notifier does in QEMU. So a detach that names the wrong one has no effect. This is
looked up only for a violation.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from vblkfuzz.trace.event import Event, actor_name, path_text
from vblkfuzz.trace.kinds import ATTACH, DETACH, DRAIN_CALL


class Watch(NamedTuple):
    """A queue since some event, at which its *section* begins."""

    loops: tuple[int, ...]
    """Event loops that watch it (ActorId)."""
    attached: bool
    """Whether an attach was the last change in the section."""
    detached: bool
    """Whether a detach was the last change in the section."""
    elsewhere: tuple[int, ...]
    """Event loops that a detach in the section named although they did not watch it."""


def watch_at(until: Event, events: Sequence[Event], since: Event | None = None) -> Watch:
    """Return how the queue of the event `until` is watched just before it.

    The section begins at `since`, or with the last drained section before `until`.
    """
    queue = until.queue if since is None else since.queue
    loops: dict[int, None] = {}
    elsewhere: dict[int, None] = {}
    last = 0
    for event in events:
        if event is until:
            break
        if event is since or (since is None and event.kind == DRAIN_CALL and event.value == 1):
            elsewhere, last = {}, 0
        if event.kind == ATTACH and event.queue == queue:
            loops[event.value], last = None, ATTACH
        elif event.kind == DETACH and event.queue == queue:
            if event.value in loops:
                del loops[event.value]
                last = DETACH
            elif loops:
                elsewhere[event.value] = None
    return Watch(tuple(loops), last == ATTACH, last == DETACH, tuple(elsewhere))


def names(loops: Sequence[int]) -> str:
    """Return event loops in words: ``main and io0``."""
    return " and ".join(map(actor_name, loops))


def by_whom(event: Event) -> str:
    """Return actor and causal path of an event in words: ``by vcpu in reset > stop``."""
    path = path_text(event.path)
    return f"by {actor_name(event.actor)}" + (f" in {path}" if path else "")
