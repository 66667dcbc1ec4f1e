"""What silence is worth: what a campaign says of itself that finds nothing.

That is whether it found its planted defects (`campaign.canary`), how much it has not seen yet
(`store.unseen`), and what its runs of PCT are worth (`store.tried`).
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from vblkfuzz.launch.plan import Stat
from vblkfuzz.store.feature_counts import counts_of
from vblkfuzz.store.tried import Bound, Bounds, together
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
        self._tried: dict[tuple[int, int], Bounds] = {}

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

    def tried(self, start: tuple[int, int], bounds: str) -> None:
        """Note what PCT has tried in a start of a worker, so far.

        Args:
            start: index and seed of the worker; a worker that is started again has another seed.
            bounds: as JSON. Other text is left out: a user's device may write to the pipe, too.
        """
        with suppress(ValueError, TypeError, AttributeError):
            values = json.loads(bounds).items()
            self._tried[start] = {int(depth): Bound.of(*one) for depth, one in values}
        self._summary.tried = together(self._tried.values())

    def update(self, workers: Sequence[WorkerProcess]) -> None:
        """Note and record what workers have counted so far."""
        self._summary.canaries = tuple(
            replace(one, tries=sum(each.statistic(Stat.CANARIES + place) for each in workers))
            for place, one in enumerate(self._summary.canaries)
        )
        with suppress(OSError):  # a folder that cannot be read: the care for the corpus says it
            self._summary.unseen = Unseen.of(counts_of(self._out, self._campaign))
        summary = self._summary
        self._ledger.silence(summary.unseen, summary.canaries, summary.tried)
