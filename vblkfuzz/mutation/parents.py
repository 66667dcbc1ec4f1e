"""Parents: for each feature the shortest input that has it, of which new inputs are made.

libFuzzer chooses an input by its rare features, whatever its length, and stories grow to 30 or 40
operations. Most bugs need four to nine, and a long story takes longer to run and hides more. So the
mutator takes most inputs from here: they stay short, because one that has the same features shorter
takes the place of another, and one that has none of its own left is forgotten. Of three drawn that
one is taken whose children brought most for their number. Next: `mutation.mutate`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from vblkfuzz.mutation.places import Lane, Places

Random = Callable[[], float]

_LONGEST: Final = 200
"""Bytes of an input that can be a parent: about 20 operations. Longer ones are libFuzzer's."""
_STEP: Final = 4
"""Bytes by which inputs must differ to count as shorter: those of a deviation."""
_DRAWN: Final = 3
"""Parents that are drawn to choose one of them."""


class Parent:
    """An input, and what became of it."""

    __slots__ = ("brought", "children", "data", "features")

    def __init__(self, data: bytes, features: int) -> None:
        self.data = data
        self.features = features
        """Bits of the features that no shorter input is known to have."""
        self.children = 0
        self.brought = 0
        """Children that have become parents."""

    @property
    def spent(self) -> float:
        """Children for what they brought: the less, the better."""
        return self.children / (1 + self.brought)


class Parents:
    """The parents of one worker. The same calls give the same parents."""

    def __init__(self) -> None:
        self.places = Places()
        self._parents: list[Parent] = []
        self._within = [0] * (_LONGEST // _STEP + 1)
        """Features of inputs of at most so many steps."""
        self._last: Parent | None = None
        """The parent of the input that runs."""

    def __len__(self) -> int:
        """Return the number of parents."""
        return len(self._parents)

    def __iter__(self) -> Iterator[Parent]:
        """Return the parents, the oldest first."""
        return iter(self._parents)

    def choose(self, random: Random) -> Parent | None:
        """Return a parent for the next input; None: there is none."""
        known = self._parents
        self._last = None
        if known:
            drawn = [known[int(random() * len(known))] for _ in range(_DRAWN)]
            self._last = min(drawn, key=lambda parent: parent.spent)
            self._last.children += 1
        return self._last

    def none_chosen(self) -> None:
        """Note that the next input comes from elsewhere."""
        self._last = None

    def note(
        self, data: bytes, features: int, lanes: Callable[[], Sequence[Lane]] | None = None
    ) -> None:
        """Note an input that has run; it is a parent if no input as short has all its features.

        Args:
            data: the input.
            features: a bit for each of its features.
            lanes: returns who acted in its operations; None: that is not known.
        """
        last, self._last = self._last, None
        if len(data) > _LONGEST:
            return
        if lanes is not None:
            self.places.note(data, lanes())
        size = len(data) // _STEP
        new = features & ~self._within[size]
        if not new:
            return
        if last is not None:
            last.brought += 1
        self._take_from_others(new, size)
        self._parents.append(Parent(data, new))

    def _take_from_others(self, features: int, size: int) -> None:
        """Forget that longer inputs have these features."""
        self._within[size:] = [known | features for known in self._within[size:]]
        others = ~features
        for parent in self._parents:
            parent.features &= others
        self._parents = [parent for parent in self._parents if parent.features]
