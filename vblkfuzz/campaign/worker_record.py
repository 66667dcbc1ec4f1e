"""The record of what each worker did over time, in the ledger.

A campaign of a week has as many entries as people can see in a diagram, not one for each of the
ledger's: the longer it has run, the rarer they are, up to a minute.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.launch.plan import Stat

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.launch.local import WorkerProcess
    from vblkfuzz.store.ledger import Ledger

_SHARE: Final = 100
"""An entry comes after this part of the time that the campaign has run."""
_MOST_S: Final = 60.0
"""Most seconds between two entries."""


class WorkerRecord:
    """Writes what the workers did; call `note` with each entry of the ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._next = 0.0

    def note(self, workers: Sequence[WorkerProcess], seconds: float, *, final: bool) -> None:
        """Write an entry for each worker, if it is time for one, or the last one."""
        if seconds < self._next and not final:
            return
        self._next = seconds + min(_MOST_S, seconds / _SHARE)
        for one in workers:
            execs, features = one.statistic(Stat.EXECS), one.statistic(Stat.FEATURES)
            self._ledger.worker(one.plan.index, seconds, execs, features)
