"""What a guest sees of a scenario, whatever the form of its rings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

from vblkfuzz.mutation.mutate import Mutator
from vblkfuzz.scenario.codec import MAX_BYTES, decode
from vblkfuzz.scenario.device import Ring
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.kinds import (
    COLLECT,
    DEVICE_ID,
    ENABLE_READ,
    MEMORY_CHANGED,
    SECTOR,
    STATUS_READ,
)
from vblkfuzz.trace.trace import Trace

HOSTILE = frozenset({"hostile", "publish_again"})
"""Operations that do something else to a packed ring, by their nature."""
_COUNTS = 2
"""Flags of an ENABLE_READ from here on are read by the operator, not by the guest."""
_NEW_STORY = 40
"""So many mutations of one story, then a new one."""

Outcome = dict[tuple[int, int], list[tuple[int, ...]]]


def outcome(trace: Trace) -> Outcome:
    """Return completions, their statuses, lengths and data, and what else the guest has read.

    By kind and queue, each in order. Heads are left out; that of a SECTOR is a sector.
    """
    found: Outcome = defaultdict(list)
    for event in trace.events:
        if event.kind == ENABLE_READ and event.flag >= _COUNTS:
            continue
        if event.kind in (COLLECT, SECTOR, DEVICE_ID, STATUS_READ, ENABLE_READ, MEMORY_CHANGED):
            head = event.head if event.kind == SECTOR else 0
            found[event.kind, event.queue].append((event.flag, event.length, head, event.value))
    return found


def unordered(trace: Trace) -> Outcome:
    """Return an outcome without the order of completions, which a real device may choose."""
    found = outcome(trace)
    return {
        (kind, queue): sorted(each[:3] if kind == COLLECT else each for each in seen)
        for (kind, queue), seen in found.items()
    }


def on(ring: Ring, scenario: Scenario) -> Scenario:
    return replace(scenario, device=replace(scenario.device, ring=ring))


def stories(seed: int, count: int) -> Iterator[Scenario]:
    """Yield scenarios that a campaign would run, without what is hostile."""
    mutator, data = Mutator(seed), b""
    for number in range(count):
        data = mutator.mutate(data if number % _NEW_STORY else b"", MAX_BYTES)
        story = decode(data)
        yield replace(story, ops=tuple(one for one in story.ops if one.name not in HOSTILE))
