"""Situations in a story of requests that enclose others, and of threads while the device starts.

As in `mutation.situations`: as far as operations and schedule show them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations
from typing import Final

from vblkfuzz.scenario.alphabet.backend import PICKS
from vblkfuzz.scenario.alphabet.guest import DECLINES, REQUESTS
from vblkfuzz.scenario.alphabet.ops import CODES, PUBLISHES
from vblkfuzz.scenario.op import Op
from vblkfuzz.scenario.scenario import Go, Scenario

_IN, _OUT = REQUESTS.index("in"), REQUESTS.index("out")
_FLUSH = REQUESTS.index("flush")
_RESETS: Final = frozenset(
    CODES[name] for name in ("init", "reset", "system_reset", "power_loss", "release")
)
_LOSS: Final = CODES["power_loss"]


def _ended(story: Scenario) -> Iterator[tuple[int, Op, Op, list[Op]]]:
    """Yield, for each held request that ends alone: index, the `complete`, it, those still held."""
    held: list[Op] | None = None
    for index, operation in enumerate(story.ops):
        if operation.code in _RESETS:
            held = None if operation.code != _LOSS else held and []
        elif operation.code == CODES["hold"]:
            held = []
        elif held is None:
            continue
        elif operation.code in PUBLISHES:
            held.append(operation)
        elif operation.code == CODES["complete"]:
            ended = _which(operation.a, held)
            held = [one for one in held if all(one is not other for other in ended)]
            for one in ended:
                yield index, operation, one, held


def _which(pick: int, held: list[Op]) -> list[Op]:
    """Return the held requests that a `complete` ends."""
    name = PICKS[pick]
    if name == "all":
        return held
    return held[-1:] if name == "newest" else held[pick : pick + 1]


def _then(story: Scenario, start: int, *kinds: int) -> bool:
    """Whether requests of these kinds follow in this order, then a loss of power."""
    wanted = list(kinds)
    for operation in story.ops[start:]:
        if wanted and operation.code in PUBLISHES and operation.b == wanted[0]:
            wanted.pop(0)
        elif not wanted and operation.code == _LOSS:
            return True
    return False


def ends_before_older(story: Scenario) -> bool:
    """A held request ends, and an older one is still held."""
    return any(held for *_, held in _ended(story))


def flush_begun_before_write_ended(story: Scenario) -> bool:
    """A write ends while a flush is held; another flush and a loss of power follow."""
    return any(
        one.b == _OUT
        and not done.b
        and any(other.b == _FLUSH for other in held)
        and _then(story, index, _FLUSH)
        for index, done, one, held in _ended(story)
    )


def flush_after_failed_flush(story: Scenario) -> bool:
    """After a write, a flush fails; another one and a loss of power follow."""
    return any(
        one.b == _FLUSH
        and done.b != 0
        and any(before.code in PUBLISHES and before.b == _OUT for before in story.ops[:index])
        and _then(story, index, _FLUSH)
        for index, done, one, _ in _ended(story)
    )


def failed_read_is_ignored(story: Scenario) -> bool:
    """A held read fails of what was written before, and `rerror` ignores it."""
    return story.device.rerror == "ignore" and any(
        one.b == _IN and done.b != 0 and _written(story, index, one)
        for index, done, one, _ in _ended(story)
    )


def _written(story: Scenario, end: int, read: Op) -> bool:
    return any(
        one.code in PUBLISHES
        and one.b == _OUT
        and one.d <= read.d + read.e
        and read.d <= one.d + one.e
        for one in story.ops[:end]
    )


def read_again_after_other_queue(story: Scenario) -> bool:
    """The same sectors are read twice on one queue; another queue writes some of them between."""
    queues = story.device.queues
    asked = [one for one in story.ops if one.code in PUBLISHES]
    return queues > 1 and any(
        (one.b, two.b, three.b) == (_IN, _OUT, _IN)
        and (one.a % queues, one.d, one.e) == (three.a % queues, three.d, three.e)
        and one.a % queues != two.a % queues
        and two.d <= one.d + one.e
        and one.d <= two.d + two.e
        for one, two, three in combinations(asked, 3)
    )


def thread_in_init(story: Scenario) -> bool:
    """An IOThread goes on while an `init` starts the device."""
    return any(
        item.go in (Go.IO0, Go.IO1)
        and item.op < len(story.ops)
        and story.ops[item.op].code == CODES["init"]
        for item in story.schedule
    )


def declines_event_idx(story: Scenario) -> bool:
    """The driver declines EVENT_IDX, which the device offers, and makes two requests."""
    asked = sum(one.code in PUBLISHES for one in story.ops)
    return (
        story.device.event_idx
        and asked > 1
        and any(one.code == CODES["init"] and DECLINES[one.b] == "event_idx" for one in story.ops)
    )


def index_wraps(story: Scenario) -> bool:
    """Ring indices start where two to eight requests let them wrap to 0."""
    asked = sum(one.code in PUBLISHES for one in story.ops)
    return asked > 1 and asked + story.device.first_index > 0xFFFF


HELD: Final[tuple[Callable[[Scenario], bool], ...]] = (
    ends_before_older,
    flush_begun_before_write_ended,
    flush_after_failed_flush,
    failed_read_is_ignored,
    read_again_after_other_queue,
    thread_in_init,
    declines_event_idx,
    index_wraps,
)
