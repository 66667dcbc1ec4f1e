"""How much of a real device's own code a campaign has reached."""

from __future__ import annotations

from typing import Final, NamedTuple


class Reach(NamedTuple):
    """What the worker that has reached most has reached."""

    kind: str = ""
    """What is counted: functions or edges; empty: nothing."""
    reached: int = 0
    reachable: int = 0
    """How many the program has; 0: not known."""

    @property
    def words(self) -> str:
        """The count, for people; empty if nothing was reached.

        >>> Reach("functions", 1204, 22763).words, Reach("edges", 4425).words
        ('1,204 of 22,763 functions', '4,425 edges')
        """
        if not self.reached:
            return ""
        of = f" of {self.reachable:,}" if self.reachable else ""
        return f"{self.reached:,}{of} {self.kind}"


NOTHING: Final = Reach()
