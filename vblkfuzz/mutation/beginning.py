"""The beginning of a campaign: which kinds of new inputs it has more of, or fewer, than later.

Most mistakes that are easily shown are shown by some story that is near to nothing, so a campaign
begins with walks (`mutation.walk`). A thread that goes on earlier (`mutation.early`) needs stories
that are worth it, and finds what is rare; it comes later. Time is counted in inputs made, so a seed
gives the same inputs. Next: `mutation.mutate`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

Random = Callable[[], float]

_SOON: Final = 100
"""Inputs after which a probability is half way."""
_WALKS_FIRST: Final = 0.7
"""Probability that the first input is a walk."""
_WALKS: Final = 0.1
"""The same in the end."""
_EARLY: Final = 0.3
"""Probability in the end that a story stays as it is, and a thread goes on earlier in it."""


class Beginning:
    """Counts the inputs of one worker."""

    def __init__(self) -> None:
        self._made = 0

    def note(self) -> None:
        """Note that an input is made."""
        self._made += 1

    def walks(self, random: Random) -> bool:
        """Draw whether an input is a walk."""
        return random() < _WALKS + (_WALKS_FIRST - _WALKS) * self._left

    def early(self, random: Random) -> bool:
        """Draw whether a thread goes on earlier in a story of before."""
        return random() < _EARLY * (1 - self._left)

    @property
    def _left(self) -> float:
        """What is left of the beginning: 1 at first, then ever closer to 0."""
        return _SOON / (_SOON + self._made)
