"""What a campaign has not seen yet, estimated from what it has seen only once or twice.

A campaign is a sample: executions are sampling units, features are species. Then the statistics of
ecology apply: M. Böhme, "STADS: Software Testing as Species Discovery", ACM Transactions on
Software Engineering and Methodology 27 (2018), article 7. Two estimates are used:

* Good-Turing: I. J. Good, "The Population Frequencies of Species and the Estimation of Population
  Parameters", Biometrika 40 (1953), pages 237 to 264. Features that one execution had, over all
  executions: so many new features the next execution is expected to show.
* Chao1: A. Chao, "Nonparametric Estimation of the Number of Classes in a Population", Scandinavian
  Journal of Statistics 11 (1984), pages 265 to 270. A lower bound of the features that the search
  can show at all.

Both assume executions that do not depend on each other. Those of a fuzzer do: an input that shows
something new has children like itself, so features seen once become features seen often, and the
estimates are too low. They are for what this search can reach, from this corpus, on this target.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any, NamedTuple

from vblkfuzz.counted import counted

if TYPE_CHECKING:
    from vblkfuzz.feedback.incidence import Incidence


class Unseen(NamedTuple):
    """Counts of a campaign, and what they say about what it has not seen."""

    executions: int = 0
    features: int = 0
    """Features that were seen."""
    once: int = 0
    """Features that exactly one execution had."""
    twice: int = 0
    """Features that exactly two executions had."""

    @staticmethod
    def of(noted: Incidence) -> Unseen:
        """Return the counts of what was noted."""
        seen, twice, thrice = (one.bit_count() for one in (noted.once, noted.twice, noted.thrice))
        return Unseen(noted.executions, seen, seen - twice, twice - thrice)

    @property
    def discovery(self) -> float:
        """New features that the next execution is expected to show (Good-Turing); 1: not known."""
        return self.once / self.executions if self.executions else 1.0

    @property
    def left(self) -> float:
        """Features still unseen, at least (Chao1)."""
        if self.twice:
            return self.once * self.once / (2 * self.twice)
        return self.once * (self.once - 1) / 2  # the form without division, for no doubletons

    @property
    def words(self) -> str:
        """The estimates in words; empty if nothing was noted.

        >>> Unseen(20000, 1527, 12, 6).words
        '12 features or more (seen: 1,527), a new one in about 1,667 executions'
        >>> Unseen(20000, 1527, 0, 6).words
        'nothing that this search can reach: all 1,527 features were seen twice'
        """
        if not self.executions or not self.features:
            return ""
        if not self.once:
            seen = f"all {counted(self.features, 'feature')} were seen twice"
            return f"nothing that this search can reach: {seen}"
        every = counted(round(self.executions / self.once), "execution")
        left = counted(ceil(self.left), "feature")
        return f"{left} or more (seen: {self.features:,}), a new one in about {every}"

    def to_json(self) -> dict[str, Any]:
        """Return counts and estimates in JSON values."""
        return {
            **self._asdict(),
            "discovery": round(self.discovery, 8),
            "left": round(self.left, 1),
        }


NOTHING_NOTED = Unseen()
