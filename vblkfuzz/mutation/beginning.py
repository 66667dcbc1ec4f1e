"""The beginning of a campaign has more walks than what follows.

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


class Beginning:
    """Counts the inputs of one worker."""

    def __init__(self) -> None:
        self._made = 0

    def note(self) -> None:
        """Note that an input is made."""
        self._made += 1

    def walks(self, random: Random) -> bool:
        """Draw whether an input is a walk."""
        left = _SOON / (_SOON + self._made)
        return random() < _IN_THE_END + (_FIRST - _IN_THE_END) * left
