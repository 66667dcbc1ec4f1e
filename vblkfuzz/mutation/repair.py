"""Repair of a story, so that most scenarios make sense.

Operations without effect are dropped, an init is inserted before requests, and a missing end is
inserted at a random place after its begin: the fuzzer is to try all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from vblkfuzz.limits import MAX_OPS
from vblkfuzz.mutation.argument import new_record
from vblkfuzz.mutation.draft import ITEMS, Draft, Item
from vblkfuzz.mutation.story_state import (
    FITS,
    NEXT,
    OPEN,
    PAIRS,
    WANTS_INIT,
    Pair,
)
from vblkfuzz.scenario.alphabet.ops import CODES
from vblkfuzz.scenario.alphabet.spec import UNKICKED
from vblkfuzz.scenario.codec import OP

_INIT: Final = CODES["init"]
_PUBLISH: Final = CODES["publish"]
_PUBLISH_KICK: Final = CODES["publish_kick"]
INIT_ITEM: Final = ITEMS[OP.pack(_INIT, 0, 0, 0, 0, 0)]
"""An init that succeeds."""


def repair(draft: Draft, random: Callable[[], float]) -> None:
    """Edit a draft so that its story makes sense; if it does already, leave it unchanged."""
    state = draft.first_state
    kept: list[Item] = []
    for item in draft.items:
        code = item[0][0]
        if not FITS[state][code]:
            if code not in WANTS_INIT:
                continue
            kept.append(INIT_ITEM)
            state = NEXT[state][_INIT]
        kept.append(item)
        state = NEXT[state][code]
    draft.items = kept[:MAX_OPS]
    if state & UNKICKED:
        _kick_last(draft.items)
    if state & OPEN:
        _end_all(draft, random)


def _end_all(draft: Draft, random: Callable[[], float]) -> None:
    """Insert all missing ends; the last operations first, because `restore` also ends a `stop`."""
    for pair in reversed(PAIRS):
        state = draft.state_before(len(draft.items))
        lowest = pair.open & -pair.open
        _end(draft.items, pair, (state & pair.open) // lowest, random)


def _kick_last(items: list[Item]) -> None:
    """Turn the last publish into a publish_kick: no kick follows it."""
    for at in range(len(items) - 1, -1, -1):
        record, marks = items[at]
        if record[0] == _PUBLISH:
            items[at] = bytes([_PUBLISH_KICK]) + record[1:], marks
            return


def _end(items: list[Item], pair: Pair, levels: int, random: Callable[[], float]) -> None:
    """Insert `levels` missing ends of a pair, each at a random place after `Pair.inner`."""
    inner = [at for at, item in enumerate(items) if item[0][0] in pair.inner]
    if inner:  # else the device polls from the start, and there is nothing to end
        for _ in range(levels):
            at = inner[-1] + 1 + int(random() * (len(items) - inner[-1]))
            items.insert(at, (new_record(pair.end, random), ()))
