"""Edits of the schedule: deviations are added, moved and removed, and races are laid out.

A race is what most ordering bugs are made of: an operation is left at one point of its way, and
another one that has to do with it runs in between. `race` writes down both at once, and points are
chosen where an operation really gets to (`_REACH`). Next: `mutation.mutate`, which calls this.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from vblkfuzz.limits import MAX_POINT
from vblkfuzz.mutation.argument import QUEUED, new_record, on_queue_of
from vblkfuzz.mutation.draft import DELAYED, Draft
from vblkfuzz.mutation.story_state import FITS, NEXT, PAIRS, choices
from vblkfuzz.scenario.alphabet.ops import CODES, OPS
from vblkfuzz.scenario.scenario import Go

if TYPE_CHECKING:
    from vblkfuzz.mutation.draft import Mark

Random = Callable[[], float]

# Plain integers: an enum member costs 100 ns to look up on Python 3.11.
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
"""Who goes on. Delayed stores matter to the guest alone, and so to the next operation."""
_ANY_POINT: Final = 1 / 32
_ADD: Final = (1.0, 0.4, 0.12, 0.04)
"""How often an edit of the schedule adds a deviation, by how many there are. Sparse schedules
need a sixth of the executions that dense ones need."""

_SHORT: Final = 3
_REACH: Final = tuple(spec.reach for spec in OPS)
"""By code, see `OpSpec.reach`."""

_PUBLISH_KICK: Final = CODES["publish_kick"]
_BESIDE: Final = tuple(spec.code for spec in OPS for _ in range(spec.beside))
"""Codes of what else the driver does on a queue while its requests are under way."""
_ASKS: Final = tuple(spec.code for spec in OPS for _ in range(spec.asks))
"""Codes of operations on whose way the device asks for kicks, then looks at a ring."""
_CONTROL: Final = frozenset(spec.code for spec in OPS if spec.control)
"""Codes of operations that change how requests are served: requests race with these."""


def change_schedule(draft: Draft, random: Random) -> None:
    """Add, move or remove a deviation."""
    marked = [at for at, item in enumerate(draft.items) if item[1]]
    if random() < _ADD[min(len(marked), 3)]:
        if draft.items:
            at = _somewhere(draft, random)
            _mark(draft, at, (_point(draft, at, random), _GOES[int(random() * len(_GOES))]))
        return
    at = marked[int(random() * len(marked))]
    record, marks = draft.items[at]
    gone = int(random() * len(marks))
    draft.items[at] = record, marks[:gone] + marks[gone + 1 :]
    if random() < 0.5:
        _mark(draft, at, _other(marks[gone], random))


def race(draft: Draft, random: Random) -> None:
    """Let an operation be overtaken by another one that has to do with it, rarely that by a third.

    Mostly the story ends there: what comes later often mends what went wrong. Deviations from
    before are mostly dropped, to stay few.
    """
    if not draft.items:
        return
    _forget(draft, random)
    at = _somewhere(draft, random)
    for _ in range(1 if random() < 0.75 else 2):
        _mark(draft, at, (_point(draft, at, random), _NEXT[int(random() * len(_NEXT))]))
        if at + 1 == len(draft.items) or random() < 0.75:
            draft.items.insert(at + 1, (_rival(draft, at, random), ()))
        at += 1
    if random() < 0.75:
        del draft.items[at + 1 + int(random() * 3) :]


def delay(draft: Draft, random: Random) -> None:
    """Let a request come while the device's wish for kicks is not seen yet.

    This matters at few points of few operations, so it has an edit of its own: of any two that
    race, hardly any would do. Nothing is stored before the first point. The story mostly ends
    there: the next request tells of the one before.
    """
    if not draft.items:
        return
    _forget(draft, random)
    at = _somewhere(draft, random)
    if random() < 0.5:
        state = _state_behind(draft, at + 1)
        fitting = [code for code in _ASKS if FITS[state][code]]
        if fitting:
            at += 1
            draft.items.insert(at, (new_record(fitting[int(random() * len(fitting))], random), ()))
    reach = _REACH[draft.items[at][0][0]]
    _mark(draft, at, (1 + int(random() * (reach - 1)), _LATE))
    draft.items.insert(at + 1, (_reader(draft, at, random), ()))
    if random() < 0.75:
        del draft.items[at + 2 :]


def burst(draft: Draft, random: Random) -> None:
    """Let two to four operations begin before any of them is done, often with a new pair in it.

    The story ends there, and has no other deviations: see `race`.
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
        _mark(draft, place, (0, int(Go.NEXT)))


def _reader(draft: Draft, at: int, random: Random) -> bytes:
    """Choose a request for the queue of the last operation on one: it looks for delayed stores."""
    request = new_record(_PUBLISH_KICK, random)
    for record, _ in reversed(draft.items[: at + 1]):
        if record[0] in QUEUED:
            return on_queue_of(record, request)
    return request


def _rival(draft: Draft, at: int, random: Random) -> bytes:
    """Choose what overtakes: something on the same queue, the same again, or what fits."""
    record = draft.items[at][0]
    chance = random()
    if chance < 0.35 and record[0] in QUEUED:
        code = _PUBLISH_KICK if chance < 0.25 else _BESIDE[int(random() * len(_BESIDE))]
        return on_queue_of(record, new_record(code, random))
    if chance < 0.45:
        return record
    fitting = choices(_state_behind(draft, at + 1))
    if chance < 0.8:
        fitting = bytes([code for code in fitting if code in _CONTROL]) or fitting
    return new_record(fitting[int(random() * len(fitting))], random)


def _forget(draft: Draft, random: Random) -> None:
    """Mostly drop the deviations from before, to stay few."""
    if random() < 0.75:
        draft.items = [(record, ()) for record, _ in draft.items]


def _state_behind(draft: Draft, count: int) -> int:
    state = draft.first_state
    for record, _ in draft.items[:count]:
        state = NEXT[state][record[0]]
    return state


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
    """Choose a point that the operation gets to, preferably an early one; now and then any."""
    if random() < _ANY_POINT:
        return int(random() * MAX_POINT)
    reach = _REACH[draft.items[at][0][0]]
    return int(random() * reach * (random() if random() < 0.3 else 1))


def _other(mark: Mark, random: Random) -> Mark:
    """Change where a deviation is, or who goes on."""
    if random() < 0.5:
        return (mark[0] + (-1, 1, 2, 3)[int(random() * 4)]) % MAX_POINT, mark[1]
    return mark[0], _GOES[int(random() * len(_GOES))]


def _mark(draft: Draft, at: int, mark: Mark) -> None:
    record, marks = draft.items[at]
    others = [known for known in marks if known[0] != mark[0]]
    draft.items[at] = record, tuple(sorted([*others, mark]))
