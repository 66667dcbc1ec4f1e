"""An execution without what the threads of a real device decide among themselves."""

from __future__ import annotations

from typing import NamedTuple

from vblkfuzz.executor import Execution
from vblkfuzz.trace.kinds import COLLECT


class Outline(NamedTuple):
    """What has to be the same each time."""

    signatures: tuple[str, ...]
    events: tuple[tuple[int, ...], ...]


def outline(execution: Execution) -> Outline:
    """Return signatures and events; in one turn the order of threads does not count."""
    signatures = tuple(sorted(one.signature for one in execution.verdict.violations))
    events = sorted(
        (event.turn, event.kind, event.queue, event.flag, event.epoch)
        for event in execution.trace.events
        # Whoever opens the used ring first finds what was pushed until then.
        if event.kind != COLLECT
    )
    return Outline(signatures, tuple(events))
