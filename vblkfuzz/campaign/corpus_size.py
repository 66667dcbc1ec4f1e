"""How many inputs the corpus has, counted together with the features of the same moment.

A count lists a folder, which takes some milliseconds for thousands of inputs. So it is done only if
the folder has changed, and in a small share of the time. In between, both figures stay as they
were, so that they always belong together.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_REST: Final = 100
"""How many times as long as a count took there is none: counting takes 1 % of a processor."""


class CorpusSize:
    """The number of files in a folder.

    Args:
        folder: the corpus.
        clock: seconds that pass, for tests.
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder = folder
        self._clock = clock
        self._changed_ns = -1
        self._settled = False
        self._next_s = 0.0
        self.inputs = 0
        """The number when it was counted last."""
        self.problem = ""
        """Why the folder cannot be listed, as when it was deleted; empty if it can."""

    def count(self, *, final: bool = False) -> bool:
        """Count, if needed; return False if the number may be an old one.

        That is so if there was no time, or if there is a `problem`.

        Args:
            final: count whatever time it takes.
        """
        try:
            return self._count(final=final)
        except OSError as error:
            self.problem = f"{self._folder}: {error.strerror or error}"
            return False

    def _count(self, *, final: bool) -> bool:
        changed_ns = os.stat(self._folder).st_mtime_ns
        same = changed_ns == self._changed_ns
        if same and self._settled and not final:
            return True
        begun = self._clock()
        if begun < self._next_s and not final:
            return False
        self.inputs = len(os.listdir(self._folder))
        # A file that is added within the same tick of the clock of files does not change the time
        # again, so the number is counted once more when the time has stayed the same.
        self._changed_ns, self._settled = changed_ns, same
        ended = self._clock()
        self._next_s = ended + _REST * (ended - begun)
        return True
