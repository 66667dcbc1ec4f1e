"""What a worker is told: its share of a campaign."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.launch.plan import WorkerPlan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.campaign.options import CampaignOptions

_QUIET: Final = ("-verbosity=0",)
"""libFuzzer prints a line for each new corpus file, which would fill the log over days. The ledger
records the progress."""


def plan_of(
    options: CampaignOptions, index: int, deadline: float, name: str, canaries: Sequence[str]
) -> WorkerPlan:
    """Return the plan of a worker.

    Args:
        options: what the campaign does.
        index: of the worker, from 0.
        deadline: when it ends, on the clock of `time.monotonic`; 0: never.
        name: of the campaign, which no other one has.
        canaries: planted defects, by name.
    """
    share, rest = divmod(options.runs, options.workers)
    # Reloading, at intervals of time, reads the inputs that other workers found. Without it,
    # a single worker is deterministic.
    alone = ("-reload=0",) if options.workers == 1 and not options.store else ()
    return WorkerPlan(
        index=index,
        target=options.target,
        target_options=options.target_options,
        device=options.device,
        mode=options.mode,
        seed=options.seed + index,
        out=str(options.out),
        runs=share + (index < rest),
        deadline=deadline,
        # With a store only the orchestrator knows which finding is new.
        stop_on_first=options.stop_on_first and not options.store,
        feedback=options.feedback,
        states=options.states,
        mutate=options.mutate,
        listed=dict(options.listed),
        silenced=list(options.silenced),
        without=list(options.without),
        fields=dict(options.fields),
        schedulers=list(options.schedulers),
        # Of bytes that libFuzzer makes itself, none can be told from those that it reads.
        record=name if options.mutate else "",
        canaries=list(canaries),
        coverage=options.coverage,
        corpora=[str(options.out / "corpus")],
        libfuzzer=[*_QUIET, *alone, *options.libfuzzer],
    )
