"""Situations in a story: what the rules need that few stories tell.

Each function says whether a story has the situation, as far as its operations and its schedule show
that; the schedule may keep it from happening.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations
from typing import Final

from vblkfuzz.scenario.alphabet.guest import REQUESTS
from vblkfuzz.scenario.alphabet.ops import CODES, OPS, PUBLISHES
from vblkfuzz.scenario.op import Op
from vblkfuzz.scenario.scenario import Go, Scenario

_IN, _OUT = REQUESTS.index("in"), REQUESTS.index("out")
_FLUSH, _CLEAR = REQUESTS.index("flush"), REQUESTS.index("write_zeroes")
_CHAIN: Final = 3
"""Entries of a ring that a read or a write takes, unless its descriptors are indirect."""
_RANGED: Final = tuple(map(REQUESTS.index, ("in", "out", "discard", "write_zeroes")))
_CONTROL: Final = frozenset(spec.code for spec in OPS if spec.control)
_STARTS: Final = frozenset(CODES[name] for name in ("init", "cont", "publish_kick"))
_NEW_RINGS: Final = frozenset(
    CODES[name] for name in ("init", "reset", "system_reset", "power_loss")
)
_RESETS: Final = frozenset(CODES[name] for name in ("init", "reset", "system_reset"))
_EMPTIED: Final = frozenset(CODES[name] for name in ("collect", "queue_reset"))
_STEERED: Final = (Go.IO0, Go.IO1, Go.MAIN, Go.VCPU)


def _requests(story: Scenario) -> Iterator[tuple[int, Op, range, int]]:
    """Yield index, operation, sectors and the capacity before it of each request with a range."""
    capacity = story.device.disk_sectors
    for index, operation in enumerate(story.ops):
        if operation.code == CODES["resize"]:
            capacity = operation.d + 1
        elif operation.code in PUBLISHES and operation.b in _RANGED:
            first = operation.d
            yield index, operation, range(first, first + operation.e + 1), capacity


def steered(story: Scenario) -> bool:
    """An operation is interrupted by a thread of the device."""
    return any(item.go in _STEERED for item in story.schedule)


def steered_in_race(story: Scenario) -> bool:
    """Besides an operation that starts early, a thread of the device is chosen."""
    return steered(story) and any(item.go == Go.NEXT for item in story.schedule)


def adjacent(story: Scenario) -> bool:
    """A request begins where another one ends."""
    ranges = [sectors for _, _, sectors, _ in _requests(story)]
    return any(
        one.stop == two.start or two.stop == one.start for one, two in combinations(ranges, 2)
    )


def overlapping(story: Scenario) -> bool:
    """Two requests share some of their sectors, not all."""
    ranges = [sectors for _, _, sectors, _ in _requests(story)]
    return any(
        one != two and max(one.start, two.start) < min(one.stop, two.stop)
        for one, two in combinations(ranges, 2)
    )


def ends_at_capacity(story: Scenario) -> bool:
    """A request of two sectors or more ends exactly at the end of the disk."""
    return any(
        len(sectors) > 1 and sectors.stop == capacity
        for _, _, sectors, capacity in _requests(story)
    )


def ends_at_capacity_and_read(story: Scenario) -> bool:
    """A write of two sectors or more ends exactly at the end of the disk; its end is read."""
    found = list(_requests(story))
    return any(
        one.b == _OUT
        and len(wrote) > 1
        and wrote.stop == capacity
        and two.b == _IN
        and read.stop == wrote.stop
        and at < later
        for at, one, wrote, capacity in found
        for later, two, read, _ in found
    )


def ends_at_new_capacity(story: Scenario) -> bool:
    """A request ends exactly at the end of a resized disk."""
    resized = [at for at, operation in enumerate(story.ops) if operation.code == CODES["resize"]]
    return any(
        resized and resized[0] < at and sectors.stop == capacity
        for at, _, sectors, capacity in _requests(story)
    )


def read_back_long(story: Scenario) -> bool:
    """The same two or more sectors are written, and read after an operation that changes how."""
    found = list(_requests(story))
    return any(
        one.b == _OUT
        and two.b == _IN
        and wrote == read
        and len(wrote) > 1
        and any(operation.code in _CONTROL for operation in story.ops[at:later])
        for at, one, wrote, _ in found
        for later, two, read, _ in found
    )


def cleared_and_read(story: Scenario) -> bool:
    """A sector is written, cleared by WRITE_ZEROES, and read."""
    found = list(_requests(story))
    return any(
        (one.b, two.b, three.b) == (_OUT, _CLEAR, _IN)
        and max(wrote.start, cleared.start, read.start) < min(wrote.stop, cleared.stop, read.stop)
        for (_, one, wrote, _), (_, two, cleared, _), (_, three, read, _) in combinations(found, 3)
    )


def _in_use(story: Scenario) -> Iterator[tuple[Op, ...]]:
    """Yield, for each request that its ring has room for, it and those before it in that ring.

    A publish without room has no effect, so it yields nothing.
    """
    room = story.device.queue_size // (1 if story.device.indirect else _CHAIN)
    rings: dict[int, tuple[Op, ...]] = {}
    for operation in story.ops:
        if operation.code in _NEW_RINGS:
            rings = {}
        elif operation.code in _EMPTIED:
            rings.pop(operation.a % story.device.queues, None)
        elif operation.code in PUBLISHES:
            queue = operation.a % story.device.queues
            ring = rings.get(queue, ())
            if len(ring) < room:
                rings[queue] = (*ring, operation)
                yield rings[queue]


def three_in_ring(story: Scenario) -> bool:
    """Three requests are in one ring, which has room for them."""
    return any(len(ring) == 3 for ring in _in_use(story))


def all_requests_take_place(story: Scenario) -> bool:
    """There are two requests or more, and each finds room in its ring."""
    asked = sum(operation.code in PUBLISHES for operation in story.ops)
    return asked > 1 and asked == sum(1 for _ in _in_use(story))


def write_between_flushes(story: Scenario) -> bool:
    """A ring has a flush, a write and another flush, none of them collected."""
    return any(
        ring[-1].b == _FLUSH
        and any((one.b, two.b) == (_FLUSH, _OUT) for one, two in combinations(ring[:-1], 2))
        for ring in _in_use(story)
    )


def power_lost_in_writethrough(story: Scenario) -> bool:
    """What was written in the mode writethrough is read after a loss of power."""
    through, written, lost = False, set[int](), set[int]()
    for operation in story.ops:
        sectors = range(operation.d, operation.d + operation.e + 1)
        if operation.code == CODES["power_loss"]:
            through, written, lost = False, set(), lost | written
        elif operation.code in _RESETS:
            through = False
        elif operation.code == CODES["writeback"]:
            through = operation.a == 0
        elif operation.code in PUBLISHES and operation.b == _OUT and through:
            written.update(sectors)
        elif operation.code in PUBLISHES and operation.b == _IN and not lost.isdisjoint(sectors):
            return True
    return False


def power_lost_after_flush(story: Scenario) -> bool:
    """What was written and then flushed is read after a loss of power."""
    written, flushed, lost = set[int](), set[int](), set[int]()
    for operation in story.ops:
        sectors = range(operation.d, operation.d + operation.e + 1)
        if operation.code == CODES["power_loss"]:
            written, flushed, lost = set(), set(), lost | flushed
        elif operation.code not in PUBLISHES:
            continue
        elif operation.b == _OUT:
            written.update(sectors)
        elif operation.b == _FLUSH:
            flushed |= written
        elif operation.b == _IN and not lost.isdisjoint(sectors):
            return True
    return False


def reads_in_ring_downwards(story: Scenario) -> bool:
    """A ring has two reads of different sectors, that of the higher ones first."""
    return any(
        ring[-1].b == _IN and any(one.b == _IN and one.d > ring[-1].d for one in ring[:-1])
        for ring in _in_use(story)
    )


def failing_write_stops(story: Scenario) -> bool:
    """A held write fails, and `werror` stops the VM."""
    if story.device.werror not in ("stop", "enospc"):
        return False
    wrote = held = False
    for operation in story.ops:
        held |= operation.code == CODES["hold"]
        wrote |= held and operation.code in PUBLISHES and operation.b == _OUT
        held &= operation.code != CODES["release"]
        if wrote and held and operation.code == CODES["complete"] and operation.b:
            return True
    return False


def start_fails(story: Scenario) -> bool:
    """A start of the device follows that fails."""
    return _followed(story, "start_fail")


def start_fails_after_stop(story: Scenario) -> bool:
    """A start fails when the VM continues."""
    armed = stopped = False
    for operation in story.ops:
        if operation.code == CODES["cont"] and armed and stopped:
            return True
        stopped = operation.code == CODES["stop"] or (stopped and operation.code != CODES["cont"])
        armed = operation.code == CODES["start_fail"] or (armed and operation.code not in _STARTS)
    return False


def other_iothread(story: Scenario) -> bool:
    """The device starts in another IOThread than at first."""
    return story.device.iothreads == 2 and _followed(story, "set_iothread")


def _followed(story: Scenario, name: str) -> bool:
    codes = [operation.code for operation in story.ops]
    return CODES[name] in codes and any(
        code in _STARTS for code in codes[codes.index(CODES[name]) + 1 :]
    )


def delayed_at_poll_end(story: Scenario) -> bool:
    """A thread stops polling two queues, its stores are delayed, and a request follows."""
    return story.device.queues > 1 and any(
        item.delayed
        and item.op + 1 < len(story.ops)
        and story.ops[item.op].code == CODES["poll_off"]
        and story.ops[item.op + 1].code in PUBLISHES
        for item in story.schedule
    )


def collected_in_between(story: Scenario) -> bool:
    """A request is interrupted by a collect."""
    return any(
        item.go == Go.NEXT
        and item.op + 1 < len(story.ops)
        and story.ops[item.op].code in PUBLISHES
        and story.ops[item.op + 1].code == CODES["collect"]
        for item in story.schedule
    )


def short(story: Scenario) -> bool:
    """At most nine operations, as most bugs need."""
    return len(story.ops) <= 9


SITUATIONS: Final[tuple[Callable[[Scenario], bool], ...]] = (
    steered,
    steered_in_race,
    adjacent,
    overlapping,
    ends_at_capacity,
    ends_at_capacity_and_read,
    ends_at_new_capacity,
    read_back_long,
    cleared_and_read,
    three_in_ring,
    all_requests_take_place,
    write_between_flushes,
    power_lost_in_writethrough,
    power_lost_after_flush,
    reads_in_ring_downwards,
    failing_write_stops,
    start_fails,
    start_fails_after_stop,
    other_iothread,
    delayed_at_poll_end,
    collected_in_between,
    short,
)
