"""Short stories of a device behind a gate, each interrupted at one point after another.

Most races need a few operations and one thread that is held at the right point. A story of the
corpus has dozens of operations and thousands of such points, and takes long to run. So a campaign
sweeps through the short stories that it comes across: each time it interrupts one of them where
that was not tried yet. Next: `mutation.mutate`, which calls this.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

from vblkfuzz.mutation.deviate import mark
from vblkfuzz.mutation.draft import Draft, Item
from vblkfuzz.mutation.interrupt import interruption
from vblkfuzz.scenario.alphabet.ops import CODES, OPS, PUBLISHES

if TYPE_CHECKING:
    from vblkfuzz.mutation.draft import Mark
    from vblkfuzz.mutation.interrupt import Stops

Random = Callable[[], float]

_LONGEST: Final = 6
"""Operations of a short story. Most bugs need four to six."""
_STORIES: Final = 32
"""Stories that are swept at a time."""
_TRIES: Final = 40
"""Interruptions that are tried on a story, about a third of the points that its threads pass: other
stories have other bugs."""
_DRAWS: Final = 8
"""Draws for an interruption that was not tried. If all were, the story has few left."""
_TWICE: Final = 1 / 8
"""Probability of a second interruption."""
_MAX_MET: Final = 1 << 14
_INIT: Final = CODES["init"]
_RACED: Final = frozenset(spec.code for spec in OPS if spec.control) - {_INIT}
"""Codes of operations that requests race with."""


class _Story(NamedTuple):
    """A short story without a schedule, and the schedules that were tried on it."""

    config: list[int]
    items: list[Item]
    tried: set[tuple[tuple[Mark, ...], ...]]


class Sweep:
    """The short stories that are swept."""

    def __init__(self) -> None:
        self._stories: list[_Story] = []
        self._met: set[bytes] = set()
        """Kinds of all stories that were taken in: device and operations, without arguments."""

    def offer(self, draft: Draft) -> None:
        """Take a story in, if there is room and it is short, of a new kind, and may have a race."""
        codes = bytes([record[0] for record, _ in draft.items])
        if len(self._stories) == _STORIES or len(codes) > _LONGEST or not _may_race(codes):
            return
        kind = bytes(draft.config) + codes
        if kind in self._met:
            return
        if len(self._met) == _MAX_MET:
            self._met.clear()
        self._met.add(kind)
        items: list[Item] = [(record, ()) for record, _ in draft.items]
        self._stories.append(_Story(draft.config.copy(), items, set()))

    def next(self, stops: Stops, random: Random) -> Draft | None:
        """Return a story with an interruption that was not tried; None: there is none now."""
        while self._stories:
            at = int(random() * len(self._stories))
            story = self._stories[at]
            draft = _untried(story, stops, random)
            if draft is not None and len(story.tried) <= _TRIES:
                return draft
            del self._stories[at]
        return None


def _may_race(codes: bytes) -> bool:
    return any(code in PUBLISHES for code in codes) and any(code in _RACED for code in codes)


def _untried(story: _Story, stops: Stops, random: Random) -> Draft | None:
    """Return the story with one interruption or two, and remember them; None: few are left."""
    for _ in range(_DRAWS):
        draft = Draft(story.config.copy(), story.items.copy())
        for _ in range(2 if random() < _TWICE else 1):
            if found := interruption(draft, stops, random):
                mark(draft, *found)
        marks = tuple([item[1] for item in draft.items])
        if draft.marks() and marks not in story.tried:
            story.tried.add(marks)
            return draft
    return None
