"""The coverage region: the marks for which libFuzzer keeps an input.

It is one shared region of `COVERAGE_SIZE` bytes, registered with libFuzzer (`counters`). The probes
in guest and device (`instrument`) write the first `COVERAGE_EDGES` bytes. The rest holds *state
features*: each event of the trace together with the state it happened in. They are derived from the
trace alone, so they work for every target, and they lead to deep states much sooner than code
blocks do. Pairs of events of different threads, which a device behind a gate shows, are marked
there as well.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

from vblkfuzz.feedback.counters import register
from vblkfuzz.limits import COVERAGE_EDGES, COVERAGE_SIZE
from vblkfuzz.trace.kinds import (
    ATTACH,
    BROKEN,
    CANCEL,
    COLLECT,
    DETACH,
    DRAIN_CALL,
    DRAIN_END,
    HANDLER,
    IO_DONE,
    KICK,
    PARK,
    POLL_BEGIN,
    POLL_END,
    POP,
    PUSH,
    QUEUE_RESET,
    RESET_CALL,
    RESET_RET,
    RESIZE,
    RETRY,
    START_RET,
    STOP_CALL,
    STOP_RET,
    SUBMIT,
    UNPARK,
    VM_CONT,
    VM_STOP_CALL,
)
from vblkfuzz.trace.schedule_kinds import STORES_DELAYED

if TYPE_CHECKING:
    from vblkfuzz.trace.trace import Trace

_STATES: Final = COVERAGE_SIZE - COVERAGE_EDGES


class Region:
    """The coverage region: registers it with libFuzzer, marks state features, counts features."""

    def __init__(self, view: memoryview) -> None:
        self._view = view
        self._seen = 0
        self._count = 0

    def register(self) -> None:
        """Register the region with libFuzzer. Call in the first execution: Fuzz() loads its core.

        Raises:
            HarnessError: this build of Atheris does not export the sanitizer ABI.
        """
        register(self._view)

    def mark_states(self, trace: Trace) -> None:
        """Mark each event of the trace together with the state before it."""
        view, state, some = self._view, 0, _SOME
        features = _features(state)
        for event in trace.events:
            feature = features[event[1]]
            if feature is not None:
                place, place_if_flag, step = feature
                view[place_if_flag if event[4] & 1 else place] = 1
                if step:
                    state += step
                    features = _features((state | state >> 1) & some)
        for number in trace.neighbours:
            view[COVERAGE_EDGES + number % _STATES] = 1

    def mark_nothing(self) -> None:
        """Mark that nothing has happened, as if by an event of kind 0."""
        self._view[_place(0, 0)] = 1

    @property
    def features(self) -> int:
        """The features that are marked now, as the bits of an integer."""
        return int.from_bytes(self._view, "little")

    def count(self, features: int) -> int:
        """Return the number of features seen so far, those of one more execution included."""
        seen = self._seen | features
        if seen != self._seen:
            self._seen, self._count = seen, seen.bit_count()
        return self._count


# The abstract state is one integer that holds counters of 4 bits, so that an event is one addition:
_DRAINS, _PARKED, _IN_FLIGHT, _STARTED, _STOPPED, _CALLS, _POLLED = (
    1 << 4 * field for field in range(1, 8)
)
_SOME: Final = 0x11111110
"""The lowest bit of each counter. Together with the bit above it, it shows that a counter is not 0
(or a multiple of 4). The whole value is not used: most long inputs would have a new one, and
libFuzzer could mutate few inputs of a corpus of thousands."""
_CHANGES: Final[dict[int, int]] = {
    DRAIN_CALL: _DRAINS,
    DRAIN_END: -_DRAINS,
    PARK: _PARKED,
    UNPARK: -_PARKED,
    SUBMIT: _IN_FLIGHT,
    IO_DONE: -_IN_FLIGHT,
    START_RET: _STARTED,
    STOP_RET: -_STARTED,
    VM_STOP_CALL: _STOPPED,
    VM_CONT: -_STOPPED,
    RESET_CALL: _CALLS,
    RESET_RET: -_CALLS,
    STOP_CALL: 2 * _CALLS,
    POLL_BEGIN: _POLLED,
    POLL_END: -_POLLED,
}
_SHOWN: Final = (
    KICK,
    COLLECT,
    POP,
    PUSH,
    CANCEL,
    RETRY,
    ATTACH,
    DETACH,
    HANDLER,
    BROKEN,
    RESIZE,
    QUEUE_RESET,
    STORES_DELAYED,
)
"""Kinds that do not change the state but are marked, too."""

_STEPS: Final[dict[int, int]] = {**dict.fromkeys(_SHOWN, 0), **_CHANGES}
"""By kind that is marked: what an event adds to the state."""


@cache
def _features(shown: int) -> tuple[tuple[int, int, int] | None, ...]:
    """Return, by kind, what an event marks in a state; `shown` is the state reduced to `_SOME`.

    That is: its place in the region, its place if the lowest bit of the flag is set, and what it
    adds to the state; None if the kind is not marked. There are 128 such states, the subsets of
    `_SOME`.
    """
    return tuple(
        (_place(shown, kind), _place(shown | 1, kind), _STEPS[kind]) if kind in _STEPS else None
        for kind in range(256)
    )


def _place(shown: int, kind: int) -> int:
    mixed = shown * 0x9E3779B1 + kind * 0x85EBCA6B >> 7
    return COVERAGE_EDGES + mixed % _STATES
