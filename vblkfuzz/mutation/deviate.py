"""Edits of the schedule: add, move and remove deviations, and create races.

Most ordering bugs need a race: an operation is interrupted at one of its points, and another one
that concerns the same queue or state runs in between. `race` creates both at once, and chooses a
point that the operation is likely to reach (`_REACH`). Next: `mutation.mutate`, which calls this.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from vblkfuzz.limits import MAX_POINT
from vblkfuzz.mutation.argument import QUEUED, new_record, on_queue_of
from vblkfuzz.mutation.draft import COUNTED, DELAYED, Draft, counted
from vblkfuzz.mutation.story_state import FITS, PAIRS, choices
from vblkfuzz.scenario.alphabet.ops import CODES, OPS
from vblkfuzz.scenario.scenario import Go

if TYPE_CHECKING:
    from vblkfuzz.mutation.draft import Mark

Random = Callable[[], float]

# Plain integers: the look-up of an enum member takes 100 ns on Python 3.11.
_LATE: Final = Go.NEXT + DELAYED
_NEXT: Final = (*[int(Go.NEXT)] * 15, _LATE)
_GOES: Final[tuple[int, ...]] = tuple(
    map(
        int,
        (
            *(*[Go.NEXT] * 8, *[Go.IO0] * 4, *[Go.MAIN] * 3),
            *(Go.IO1, Go.IO1, Go.VCPU, Go.VCPU, Go.GUEST, Go.NEXT + DELAYED),
        ),
    )
)
"""`Go` of a new deviation; repetition is weight. Delayed stores are combined with NEXT only, since
the guest alone reads them, in the next operation."""
_THREADS: Final = tuple(map(int, (*[Go.IO0] * 4, *[Go.MAIN] * 3, *[Go.VCPU] * 2, Go.IO1, Go.GUEST)))
"""`Go` of `steer`; repetition is weight."""
_ANY_POINT: Final = 1 / 32
"""Probability that a point is drawn from all points instead of those within reach."""
_ADD: Final = (1.0, 0.4, 0.12, 0.04)
"""Probability that `change_schedule` adds a deviation, by the number of operations that have one
already (3: or more). Sparse schedules find bugs in a sixth of the executions."""

_SHORT: Final = 3
"""Reach up to which an operation passes few points."""
_REACH: Final = tuple(spec.reach for spec in OPS)
"""By code, see `OpSpec.reach`."""

_PUBLISH_KICK: Final = CODES["publish_kick"]
_BESIDE: Final = tuple(spec.code for spec in OPS for _ in range(spec.beside))
"""Codes of other driver operations on a queue that has requests in flight; repetition is weight."""
_ASKS: Final = tuple(spec.code for spec in OPS for _ in range(spec.asks))
"""Codes of operations during which the device requests kicks and then reads a ring; repetition is
weight."""
_BEGINS: Final = {pair.end: pair.begin for pair in PAIRS}
"""What an operation ends, by its code."""
_CONTROL: Final = frozenset(spec.code for spec in OPS if spec.control)
"""Codes of operations that change how requests are served, so that requests race with them."""


def change_schedule(draft: Draft, random: Random) -> None:
    """Add, move or remove a deviation."""
    marked = [at for at, item in enumerate(draft.items) if item[1]]
    if random() < _ADD[min(len(marked), 3)]:
        if draft.items:
            deviate(draft, random)
        return
    at = marked[int(random() * len(marked))]
    record, marks = draft.items[at]
    gone = int(random() * len(marks))
    draft.items[at] = record, marks[:gone] + marks[gone + 1 :]
    if random() < 0.5:
        mark(draft, at, _other(marks[gone], random))


def deviate(draft: Draft, random: Random) -> None:
    """Add a deviation; there are operations."""
    at = _somewhere(draft, random)
    mark(draft, at, (_point(draft, at, random), _GOES[int(random() * len(_GOES))], b""))


def race(draft: Draft, random: Random) -> None:
    """Interrupt an operation and start another, related one; sometimes interrupt that by a third.

    In most cases the story ends there, since later operations often hide a bug. Existing deviations
    are mostly dropped, so that they stay few.
    """
    if not draft.items:
        return
    _forget(draft, random)
    at = _somewhere(draft, random)
    for _ in range(1 if random() < 0.75 else 2):
        mark(draft, at, (_point(draft, at, random), _NEXT[int(random() * len(_NEXT))], b""))
        if at + 1 == len(draft.items) or random() < 0.75:
            draft.items.insert(at + 1, (_rival(draft, at, random), ()))
        at += 1
    if random() < 0.75:
        del draft.items[at + 1 + int(random() * 3) :]


def steer(draft: Draft, random: Random) -> None:
    """Let a thread of the device go on during an operation, beside the deviations there are.

    Many races need both: a request that starts early, and an event loop that gets its turn in the
    middle of what follows.
    """
    if draft.items:
        marked = [at for at, item in enumerate(draft.items) if item[1]]
        first = marked[0] if marked and random() < 0.75 else 0
        at = max(first, _somewhere(draft, random))
        go = _THREADS[int(random() * len(_THREADS))]
        point = _point(draft, at, random)
        for each in range(point, min(point + _turns(random), MAX_POINT)):
            mark(draft, at, (each, go, b""))


def _turns(random: Random) -> int:
    """Choose at how many points in a row a thread is to go on.

    A thread without work does nothing, and where it gets work is not known.
    """
    return 1 if random() < 0.8 else 2 + int(random() * 2)


def delay(draft: Draft, random: Random) -> None:
    """Start a request while the device's request for kicks is still in its store buffer.

    This matters at few points of few operations, and `race` hardly ever creates it, so it has an
    edit of its own. Point 0 is not chosen: nothing is stored before it. In most cases the story
    ends there, since another request would hide a lost kick.
    """
    if not draft.items:
        return
    _forget(draft, random)
    at = _somewhere(draft, random)
    if random() < 0.5:
        at = _ask(draft, at + 1, random)
    reach = _REACH[draft.items[at][0][0]]
    mark(draft, at, (1 + int(random() * (reach - 1)), _LATE, b""))
    draft.items.insert(at + 1, (_reader(draft, at, random), ()))
    if random() < 0.75:
        del draft.items[at + 2 :]


def burst(draft: Draft, random: Random) -> None:
    """Start two to four operations before any of them is done; often insert a new pair there.

    The story ends with them and has no other deviations, for the reasons given in `race`.
    """
    if not draft.items:
        return
    at = int(random() * len(draft.items))
    records = [record for record, _ in draft.items[: at + 4]]
    if random() < 0.75:
        pair = PAIRS[int(random() * random() * len(PAIRS))]
        records[at + 1 : at + 1] = [new_record(code, random) for code in (pair.begin, pair.end)]
    draft.items = [(record, ()) for record in records]
    for place in range(at, min(at + 1 + int(random() * 3), len(draft.items) - 1)):
        mark(draft, place, (0, int(Go.NEXT), b""))


def _ask(draft: Draft, at: int, random: Random) -> int:
    """Insert an operation at `at` during which the device requests kicks; return its index.

    One that ends what has not begun comes with its begin.
    """
    fits = FITS[draft.state_before(at)]
    fitting = [code for code in _ASKS if fits[code] or code in _BEGINS]
    code = fitting[int(random() * len(fitting))]
    codes = [code] if fits[code] else [_BEGINS[code], code]
    draft.items[at:at] = [(new_record(each, random), ()) for each in codes]
    return at + len(codes) - 1


def _reader(draft: Draft, at: int, random: Random) -> bytes:
    """Choose a request on the queue used last up to `at`: the driver then reads that queue's ring.

    It reads the values from before the delayed stores.
    """
    request = new_record(_PUBLISH_KICK, random)
    for record, _ in reversed(draft.items[: at + 1]):
        if record[0] in QUEUED:
            return on_queue_of(record, request)
    return request


def _rival(draft: Draft, at: int, random: Random) -> bytes:
    """Choose an operation to race with that at `at`.

    It is another one on the same queue, the same one again, or one that fits the story.
    """
    record = draft.items[at][0]
    chance = random()
    if chance < 0.35 and record[0] in QUEUED:
        code = _PUBLISH_KICK if chance < 0.25 else _BESIDE[int(random() * len(_BESIDE))]
        return on_queue_of(record, new_record(code, random))
    if chance < 0.45:
        return record
    fitting = choices(draft.state_before(at + 1))
    if chance < 0.8:
        fitting = bytes([code for code in fitting if code in _CONTROL]) or fitting
    return new_record(fitting[int(random() * len(fitting))], random)


def _forget(draft: Draft, random: Random) -> None:
    """In three of four cases drop all deviations, so that they stay few."""
    if random() < 0.75:
        draft.items = [(record, ()) for record, _ in draft.items]


def _somewhere(draft: Draft, random: Random) -> int:
    """Choose an operation, preferably one that passes many points."""
    items = draft.items
    at = int(random() * len(items))
    for _ in range(2):
        if _REACH[items[at][0][0]] > _SHORT:
            break
        at = int(random() * len(items))
    return at


def _point(draft: Draft, at: int, random: Random) -> int:
    """Choose a point that the operation is likely to reach, preferably an early one; rarely any."""
    if random() < _ANY_POINT:
        return int(random() * MAX_POINT)
    reach = _REACH[draft.items[at][0][0]]
    return int(random() * reach * (random() if random() < 0.3 else 1))


def _other(mark: Mark, random: Random) -> Mark:
    """Change the point of a deviation, or its `Go`. Its place is that of one point only."""
    point, how, place = mark
    if random() < 0.5:
        return (point + (-1, 1, 2, 3)[int(random() * 4)]) % MAX_POINT, how, b""
    return point, how // COUNTED * COUNTED + _GOES[int(random() * len(_GOES))], place


def mark(draft: Draft, at: int, mark: Mark) -> None:
    """Add a deviation to the operation at `at`; it replaces another one at the same point."""
    record, marks = draft.items[at]
    others = [known for known in marks if counted(known) != counted(mark)]
    draft.items[at] = record, tuple(sorted([*others, mark]))
