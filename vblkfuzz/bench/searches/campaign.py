"""A search by a campaign: one worker, inline, from an empty corpus.

The searches that are campaigns differ only in their options. The trial itself is the worker; there
is no orchestrator, since one worker alone runs the same inputs with and without it.
"""

from __future__ import annotations

import os
import secrets
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from vblkfuzz.bench.searches.search import Ended
from vblkfuzz.campaign.canary import planted_for
from vblkfuzz.campaign.options import CampaignOptions
from vblkfuzz.campaign.worker_plan import plan_of
from vblkfuzz.errors import ExitStatus, HarnessError
from vblkfuzz.launch.plan import Stat, WorkerPlan

if TYPE_CHECKING:
    from pathlib import Path

    from vblkfuzz.bench.searches.search import Budget
    from vblkfuzz.feedback.instrument import Instrumenter
    from vblkfuzz.launch.plan import Message

_FOLDERS: Final = ("corpus", "findings", "harness", "log")
_WARM: Final = "reference"


@dataclass(slots=True)
class CampaignSearch:
    """A campaign as a search."""

    name: str
    summary: str
    options: dict[str, Any] = field(default_factory=dict)
    """Fields of `CampaignOptions` that differ from those of the default search."""
    needs_engine: bool = True
    needs: str = ""
    _finder: Instrumenter | None = None

    def prepare(self) -> None:
        """Import the worker and, with probes, the model; run one input."""
        from vblkfuzz.campaign import worker  # noqa: F401  # what it imports before the target
        from vblkfuzz.campaign.worker_target import target_of
        from vblkfuzz.feedback.instrument import instrument

        self._finder = finder = instrument(_WARM)
        from vblkfuzz.feedback import region  # noqa: F401  # in the order of a worker
        from vblkfuzz.process.arena import Arena

        plan = WorkerPlan(0, _WARM, "inline", 1, "")
        with target_of(plan, Arena(), finder) as target:
            from vblkfuzz.executor import run_scenario
            from vblkfuzz.scenario.codec import decode

            run_scenario(target, decode(b""))

    def draw(self, seed: int, budget: Budget) -> None:
        """Draw nothing: each input depends on what those before it have shown."""

    def run(self, device: str, seed: int, budget: Budget, folder: Path) -> Ended:
        """Search once; see `Search.run`."""
        from vblkfuzz.campaign.worker import fuzz
        from vblkfuzz.process.arena import Arena

        for name in _FOLDERS:
            (folder / name).mkdir()
        assert self._finder is not None
        self._finder.include(device)
        messages: list[Message] = []
        memory_fd = os.memfd_create("vblkfuzz-trial", os.MFD_CLOEXEC)
        statistics = Arena.over(memory_fd).statistics
        plan = self._plan(device, seed, budget, folder)
        status = fuzz(plan, messages.append, memory_fd, self._finder)
        _check(status, f"{device}, seed {seed}", messages)
        return _ended(statistics[Stat.EXECS], messages)

    def _plan(self, device: str, seed: int, budget: Budget, folder: Path) -> WorkerPlan:
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
        canaries = [one.defect for one in planted_for(device, options.witnesses)]
        deadline = time.monotonic() + budget.seconds
        return plan_of(options, 0, deadline, secrets.token_hex(8), canaries)


def _check(status: ExitStatus | None, trial: str, messages: list[Message]) -> None:
    """Check that a worker has ended by its budget or a finding.

    Inputs that hang are no finding, and do not end a campaign.
    """
    if status not in (ExitStatus.CLEAN, ExitStatus.VIOLATION):
        errors = [one.name for one in messages if one.kind in ("harness_error", "hang")]
        raise HarnessError(f"{trial}: {(errors or ['libFuzzer ended'])[-1]}")


def _ended(execs: int, messages: list[Message]) -> Ended:
    first = next((one for one in messages if one.kind == "finding"), None)
    return Ended(execs, "") if first is None else Ended(first.execs, first.name)
