"""The beginning of a campaign has more walks than what follows, and longer ones.

Most mistakes that are easily shown are shown by some story that is near to nothing, so a campaign
begins with walks (`mutation.walk`). What is rare needs stories made of those that are known. Time
is counted in inputs made, so a seed gives the same inputs. Next: `mutation.mutate`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

Random = Callable[[], float]

_FIRST: Final = 0.7
"""Probability that the first input is a walk."""
_IN_THE_END: Final = 0.05
"""The same in the end."""
_SOON: Final = 40
"""Inputs after which it is half way."""
_LONGEST_FIRST: Final = 63
"""Most operations of the first walk, after its init: what many stories show, a long one shows at
once (docs/decisions/0050)."""
_LONGEST: Final = 24
"""The same in the end. Long stories take longer to run, and hide more."""


class Beginning:
    """Counts the inputs of one worker."""

    def __init__(self) -> None:
        self._made = 0

    def note(self) -> None:
        """Note that an input is made."""
        self._made += 1

    def walks(self, random: Random) -> bool:
        """Draw whether an input is a walk."""
        return random() < _IN_THE_END + (_FIRST - _IN_THE_END) * self._left

    @property
    def longest(self) -> int:
        """Most operations of a walk, its init not counted."""
        return _LONGEST + int((_LONGEST_FIRST - _LONGEST) * self._left)

    @property
    def _left(self) -> float:
        """How much of the beginning is left: 1 before the first input, 0 in the end."""
        return _SOON / (_SOON + self._made)
