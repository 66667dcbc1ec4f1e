"""A walk: a long new story of operations drawn one by one, on any device, with any schedule.

Short stories that are made of earlier ones are alike: the same few operations and devices, again
and again. What needs a rare device, a declined feature or three resets is far from all of them. A
walk is near to nothing, so it meets a little of everything: whatever mistake is shown by many long
stories shows soon. Next: `mutation.mutate`, which takes some of the new inputs from here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from vblkfuzz.mutation.argument import any_record, new_record
from vblkfuzz.mutation.configure import change_config, new_config
from vblkfuzz.mutation.deviate import deviate
from vblkfuzz.mutation.story_state import FITS, NEXT
from vblkfuzz.scenario.alphabet.ops import CODES, OPS

if TYPE_CHECKING:
    from vblkfuzz.mutation.draft import Draft

Random = Callable[[], float]

_MOST_CHANGES: Final = 16
"""Most changes of the device."""
_MOST_DEVIATIONS: Final = 8
_FITTING: Final = 1 / 2
"""Probability that an operation is one that fits."""
_USUAL: Final = 1 / 2
"""Probability that its arguments are usual ones."""
_INIT: Final = CODES["init"]
_DECLINE: Final = 2
"""Offset in the record of an init of what it declines; how far it goes is before it."""


def walk(draft: Draft, longest: int, random: Random) -> None:
    """Replace the draft by a walk of up to `longest` operations after the init."""
    draft.config = new_config(random)
    for _ in range(int(random() * (_MOST_CHANGES + 1))):
        change_config(draft.config, random)
    draft.items = [(_init(random), ())]
    state = NEXT[draft.first_state][_INIT]
    for _ in range(int(random() * (longest + 1))):
        code = _code(state, random)
        draft.items.append((_record(code, random), ()))
        state = NEXT[state][code]
    for _ in range(int(random() * (_MOST_DEVIATIONS + 1))):
        deviate(draft, random)


def _init(random: Random) -> bytes:
    """Return the first operation: in most cases an init that goes all the way."""
    return new_record(_INIT, random)[:_DECLINE] + _record(_INIT, random)[_DECLINE:]


def _code(state: int, random: Random) -> int:
    """Draw an operation; each is as likely as any other."""
    code = int(random() * len(OPS))
    if random() < _FITTING:
        while not FITS[state][code]:
            code = int(random() * len(OPS))
    return code


def _record(code: int, random: Random) -> bytes:
    return new_record(code, random) if random() < _USUAL else any_record(code, random)
