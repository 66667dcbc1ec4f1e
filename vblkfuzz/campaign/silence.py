"""What silence is worth: what a campaign says of itself that finds nothing.

That is whether it found its planted defects (`campaign.canary`), and how much it has not seen yet
(`store.unseen`).
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from vblkfuzz.launch.plan import Stat
from vblkfuzz.store.feature_counts import counts_of
from vblkfuzz.store.unseen import Unseen

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from vblkfuzz.launch.local import WorkerProcess
    from vblkfuzz.store.ledger import Ledger
    from vblkfuzz.store.summary import Summary


class Silence:
    """Keeps the part of a summary, and of the ledger, that says what a clean result is worth.

    Args:
        summary: of the campaign; it names the planted defects.
        ledger: of the output folder.
        out: the output folder.
        campaign: a name that no other campaign has.
    """

    def __init__(self, summary: Summary, ledger: Ledger, out: Path, campaign: str) -> None:
        self._summary = summary
        self._ledger = ledger
        self._out = out
        self._campaign = campaign

    def found(self, defect: str, execs: int, seconds: float) -> None:
        """Note that a worker has found a planted defect; only the first one counts.

        Args:
            defect: its name.
            execs: executions of all workers until then.
            seconds: time since the start of the campaign.
        """
        self._summary.canaries = tuple(
            replace(one, first_exec=execs, first_s=round(seconds, 2))
            if one.defect == defect and not one.found
            else one
            for one in self._summary.canaries
        )

    def update(self, workers: Sequence[WorkerProcess]) -> None:
        """Note and record what workers have counted so far."""
        self._summary.canaries = tuple(
            replace(one, tries=sum(each.statistic(Stat.CANARIES + place) for each in workers))
            for place, one in enumerate(self._summary.canaries)
        )
        with suppress(OSError):  # a folder that cannot be read: the care for the corpus says it
            self._summary.unseen = Unseen.of(counts_of(self._out, self._campaign))
        self._ledger.silence(self._summary.unseen, self._summary.canaries)
