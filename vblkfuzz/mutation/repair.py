"""Repair of a story: mostly, a scenario should make sense.

What does nothing is dropped, the device is set up before requests, what was begun is ended. Ends
go anywhere behind their begin: where exactly is what the fuzzer is to find out.
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
    """Make a draft tell a sensible story; one that does so already stays as it is."""
    state = draft.first_state
    told: list[Item] = []
    for item in draft.items:
        code = item[0][0]
        if not FITS[state][code]:
            if code not in WANTS_INIT:
                continue
            told.append(INIT_ITEM)
            state = NEXT[state][_INIT]
        told.append(item)
        state = NEXT[state][code]
    draft.items = told[:MAX_OPS]
    if state & UNKICKED:
        _kick_last(draft.items)
    if state & OPEN:
        for pair in PAIRS:
            lowest = pair.open & -pair.open
            _end(draft.items, pair, (state & pair.open) // lowest, random)


def _kick_last(items: list[Item]) -> None:
    """Let the last publish kick, as nothing after it does."""
    for at in range(len(items) - 1, -1, -1):
        record, marks = items[at]
        if record[0] == _PUBLISH:
            items[at] = bytes([_PUBLISH_KICK]) + record[1:], marks
            return


def _end(items: list[Item], pair: Pair, levels: int, random: Callable[[], float]) -> None:
    """Put `levels` missing ends of a pair behind its last begin."""
    inner = [at for at, item in enumerate(items) if item[0][0] in pair.inner]
    if inner:  # a device may poll from the start
        for _ in range(levels):
            at = inner[-1] + 1 + int(random() * (len(items) - inner[-1]))
            items.insert(at, (new_record(pair.end, random), ()))
