"""Requests that enclose others: one outlasts another, or is asked before and after it.

What a device keeps from one request and uses for a later one (a cache, a flush to join, an error)
shows only if the two are alike and something happens between them. Operations drawn one by one
hardly ever tell this. Any kinds of requests are combined here. Next: `mutation.mutate`, which calls
this.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from vblkfuzz.mutation.argument import new_record
from vblkfuzz.mutation.draft import Item
from vblkfuzz.mutation.relate import relate_at
from vblkfuzz.scenario.alphabet.backend import PICKS, RESULTS
from vblkfuzz.scenario.alphabet.ops import CODES, PUBLISHES
from vblkfuzz.scenario.alphabet.spec import HOLDING

if TYPE_CHECKING:
    from vblkfuzz.mutation.draft import Draft

Random = Callable[[], float]

_HOLD, _RELEASE, _COMPLETE = CODES["hold"], CODES["release"], CODES["complete"]
_PUBLISH_KICK, _POWER_LOSS = CODES["publish_kick"], CODES["power_loss"]
_NEWEST: Final = PICKS.index("newest")
_FAILURES: Final = tuple(range(1, len(RESULTS)))
"""Codes of the results other than `ok`."""

_HELD: Final = 0.65
"""Probability that the backend holds the outer request; others end in between."""
_INNER: Final = 0.6
"""Probability that another request is put between. If none is, the outer one itself ends there."""
_TWICE: Final = 0.75
"""Probability that the outer request is asked once more, as it was."""
_LOST: Final = 0.4
"""Probability that a loss of power ends the story: it shows what the disk has kept."""


def enclose(draft: Draft, random: Random) -> None:
    """Let one request of the story enclose another one, and often ask it a second time.

    Mostly the story ends there, since later requests may hide what was kept.
    """
    requests = [at for at, item in enumerate(draft.items) if item[0][0] in PUBLISHES]
    if not requests:
        return
    at = requests[int(random() * len(requests))]
    outer = draft.items[at][0]
    held = random() < _HELD
    if held and not draft.state_before(at) & HOLDING:
        draft.items.insert(at, (new_record(_HOLD, random), ()))
        at += 1
    if random() < 0.75:
        del draft.items[at + 1 :]
    at = _inside(draft, at, held, random)
    after = _after(outer, held, random)
    draft.items[at + 1 : at + 1] = [(record, ()) for record in after]


def _inside(draft: Draft, at: int, held: bool, random: Random) -> int:
    """Insert what comes between, after the outer request at `at`; return the index of the last."""
    alone = random() >= _INNER
    if not alone:
        at += 1
        draft.items.insert(at, (new_record(_PUBLISH_KICK, random), ()))
        relate_at(draft, at, random)
    if held:
        at += 1
        draft.items.insert(at, _newest_ends(alone, random))
    return at


def _newest_ends(fails: bool, random: Random) -> Item:
    """Return the end of the newest request; it may fail also without `fails`."""
    record = new_record(_COMPLETE, random)
    # A request that nothing overtakes and that succeeds is like one that was never held.
    result = _FAILURES[int(random() * len(_FAILURES))] if fails else record[2]
    return record[:1] + bytes([_NEWEST, result]) + record[3:], ()


def _after(outer: bytes, held: bool, random: Random) -> list[bytes]:
    """Return what follows: the outer request again, the end of what is held, a loss of power."""
    records = [bytes([_PUBLISH_KICK]) + outer[1:]] if random() < _TWICE else []
    if held:
        records.append(new_record(_RELEASE, random))
    if random() < _LOST:
        records.append(new_record(_POWER_LOSS, random))
    return records
