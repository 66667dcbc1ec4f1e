"""What a campaign is to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from vblkfuzz.campaign.shares import DEFAULT
from vblkfuzz.scenario.artifact import DEFAULT_DEVICE
from vblkfuzz.scenario.device import Value
from vblkfuzz.targets.options import NO_OPTIONS, TargetOptions
from vblkfuzz.targets.registry import MODEL
from vblkfuzz.trace.witness import MODEL as MODEL_WITNESSES
from vblkfuzz.trace.witness import Witness

MINIMIZE_S: Final = 20.0
"""`CampaignOptions.minimize_s` where the budget is that of fuzzing alone."""


@dataclass(frozen=True, slots=True)
class CampaignOptions:
    """The options of a campaign."""

    out: Path
    target: str = MODEL
    target_options: TargetOptions = NO_OPTIONS
    device: str = DEFAULT_DEVICE
    witnesses: Witness = MODEL_WITNESSES
    """Witnesses of the target; they decide which rules, and so which situations, apply."""
    mode: str = "processes"
    workers: int = 1
    seconds: float = 0
    """Time limit (seconds) from the start of the campaign, start-up included; 0: none."""
    runs: int = 0
    """Limit of executions of all workers together; 0: none."""
    seed: int = 1
    corpora: tuple[Path, ...] = ()
    stop_on_first: bool = False
    feedback: bool = True
    """As in `plan.WorkerPlan`."""
    states: bool = True
    """As in `plan.WorkerPlan`."""
    mutate: bool = True
    """As in `plan.WorkerPlan`."""
    listed: tuple[tuple[str, str], ...] = ()
    """The bugs that the device lists as known, see `oracle.naming.known`."""
    silenced: tuple[str, ...] = ()
    """Patterns of signatures that are counted, but neither reported nor saved."""
    without: tuple[str, ...] = ()
    """Names of operations that are left out of every input."""
    fields: Mapping[str, Value] = field(default_factory=dict)
    """As in `plan.WorkerPlan`."""
    schedulers: tuple[str, ...] = DEFAULT
    """Schedulers with their shares of new inputs, as in ``pct:1`` (`campaign.shares`)."""
    coverage: str = ""
    """As in `plan.WorkerPlan`."""
    libfuzzer: tuple[str, ...] = ()
    store: str = ""
    """Folder or URL of the store to exchange with (`store.shared_store`); empty: none."""
    other_device: bool = False
    """Go on in a folder of another device or target."""
    minimize: bool = True
    """Minimize the findings, beside the workers and at the end."""
    minimize_s: float = MINIMIZE_S
    """Seconds in which the findings that are left are minimized when the workers have ended; they
    come on top of `seconds`."""
