"""A search by a campaign: one worker, inline, from an empty corpus.

The searches that are campaigns differ only in their options.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from vblkfuzz.bench.searches.search import Ended
from vblkfuzz.campaign.options import CampaignOptions
from vblkfuzz.campaign.orchestrator import Campaign
from vblkfuzz.errors import ExitStatus, HarnessError

if TYPE_CHECKING:
    from pathlib import Path

    from vblkfuzz.bench.searches.search import Budget
    from vblkfuzz.launch.plan import Message
    from vblkfuzz.store.summary import Summary

_STOPPED: Final = (ExitStatus.USER_STOP, ExitStatus.INTERRUPTED)


@dataclass(frozen=True, slots=True)
class CampaignSearch:
    """A campaign as a search."""

    name: str
    summary: str
    options: dict[str, Any] = field(default_factory=dict)
    """Fields of `CampaignOptions` that differ from those of the default search."""
    in_workers: bool = True
    needs: str = ""

    def run(self, device: str, seed: int, budget: Budget, folder: Path) -> Ended:
        """Search once; see `Search.run`."""
        options = CampaignOptions(
            folder,
            device=device,
            mode="inline",
            runs=budget.runs,
            seconds=budget.seconds,
            seed=seed,
            stop_on_first=True,
            minimize=False,
            **self.options,
        )
        return _ended(_run(options))


def _run(options: CampaignOptions) -> Summary:
    campaign = Campaign(options, _ignore, _ignore)
    status = campaign.run()
    if status in _STOPPED:
        raise KeyboardInterrupt
    # Inputs that hang are no finding, and do not end a campaign.
    if status not in (ExitStatus.CLEAN, ExitStatus.VIOLATION, ExitStatus.TIMEOUT):
        raise HarnessError(f"{options.device}, seed {options.seed}: {campaign.summary.last_error}")
    return campaign.summary


def _ended(summary: Summary) -> Ended:
    first = min(summary.findings.values(), key=lambda one: one.first_exec, default=None)
    return Ended(summary.execs, "") if first is None else Ended(first.first_exec, first.signature)


def _ignore(_: Message | Summary) -> None:
    """Report nothing: only the final summary is used."""
