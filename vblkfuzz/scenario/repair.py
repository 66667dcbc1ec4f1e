"""Repair of a story: mostly, a scenario should make sense.

What does nothing is dropped, the device is set up before requests, what was begun is ended. Ends
go anywhere behind their begin: where exactly is what the fuzzer is to find out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from vblkfuzz.limits import MAX_OPS
from vblkfuzz.scenario.argument import new_record
from vblkfuzz.scenario.codec import OP
from vblkfuzz.scenario.draft import ITEMS, Draft, Item
from vblkfuzz.scenario.ops import CODES
from vblkfuzz.scenario.story import (
    FITS,
    NEXT,
    OPEN,
    PAIRS,
    UNKICKED,
    WANTS_INIT,
    Pair,
)

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
            if state & pair.open:
                _end(draft.items, pair, random)


def _kick_last(items: list[Item]) -> None:
    """Let the last publish kick, as nothing after it does."""
    for at in range(len(items) - 1, -1, -1):
        record, marks = items[at]
        if record[0] == _PUBLISH:
            items[at] = bytes([_PUBLISH_KICK]) + record[1:], marks
            return


def _end(items: list[Item], pair: Pair, random: Callable[[], float]) -> None:
    """Put the missing ends of a pair behind its last begin."""
    codes = [record[0] for record, _ in items]
    missing = codes.count(pair.begin) - codes.count(pair.end)
    if missing > 0:
        last = len(codes) - 1 - codes[::-1].index(pair.begin)
        for _ in range(missing):
            at = last + 1 + int(random() * (len(items) - last))
            items.insert(at, (new_record(pair.end, random), ()))
