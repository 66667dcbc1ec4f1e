"""Of which inputs of the corpus a new one descends.

libFuzzer mutates what it has just mutated, a few times, before it takes another input. What lies
between is kept nowhere, so a new input descends of the one that all began with.
"""

from __future__ import annotations

from typing import Final

from vblkfuzz.mutation.made import NOT_KNOWN, Made

_MOST_STEPS: Final = 16
"""Names of edits that are remembered, the last ones."""
_MOST_PARENTS: Final = 4


class Descent:
    """Follows the new inputs of a worker."""

    def __init__(self) -> None:
        self._data: bytes | None = None
        """The last new input, unless it was kept: then it is a parent of its own right."""
        self._made = NOT_KNOWN

    def note(self, data: bytes, made: Made) -> Made:
        """Note how a new input was made; return how, of inputs that are kept."""
        if self._data is not None and self._data in made.of:
            of = dict.fromkeys((*self._made.of, *(one for one in made.of if one != self._data)))
            made = Made((*self._made.by, *made.by)[-_MOST_STEPS:], tuple(of)[:_MOST_PARENTS])
        self._data, self._made = data, made
        return made

    def kept(self, data: bytes) -> None:
        """Note that an input is in the corpus."""
        if data == self._data:
            self._data = None
