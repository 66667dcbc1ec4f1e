"""libFuzzer's command line: what a worker gives it, and what users may add after ``--``.

Limits, artifacts and signals are ours: libFuzzer would end the worker in ways that look like a
crash, so flags for them are refused with a word on what to use instead. All other flags of users
come after our defaults and win over them.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vblkfuzz.errors import UsageError
from vblkfuzz.scenario.codec import MAX_BYTES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.launch.plan import WorkerPlan

_OURS: Final = "vblkfuzz sets it"
_OTHER_JOB: Final = "not a campaign"
_REFUSED: Final = {
    "runs": "use --runs",
    "atheris_runs": "use --runs",
    "max_total_time": "use --max-total-time",
    "seed": "use --seed",
    "workers": "use --workers",
    "jobs": "use --workers",
    "fork": "use --workers",
    "merge": _OTHER_JOB,
    "set_cover_merge": _OTHER_JOB,
    "minimize_crash": _OTHER_JOB,
    "cleanse_crash": _OTHER_JOB,
    "help": _OTHER_JOB,
    "artifact_prefix": _OURS,
    "exact_artifact_path": _OURS,
    "handle_int": _OURS,
    "handle_term": _OURS,
}


def check_arguments(arguments: Sequence[str]) -> None:
    """Raise UsageError if there is one that a campaign cannot pass on."""
    for argument in arguments:
        flag, equals, _ = argument.removeprefix("-").partition("=")
        if not argument.startswith("-") or argument.startswith("--") or not equals:
            raise UsageError(
                f"libFuzzer argument {argument}: expected -flag=value "
                "(folders of inputs are given with --corpus)"
            )
        if flag in _REFUSED:
            raise UsageError(f"libFuzzer argument {argument}: {_REFUSED[flag]}")


def arguments_of(plan: WorkerPlan) -> list[str]:
    """Return what `atheris.Setup` takes."""
    return [
        f"{sys.executable} -m vblkfuzz.campaign.worker",
        f"-max_len={MAX_BYTES}",
        "-len_control=0",  # a scenario cut short is seldom the interesting one
        # Mutations in a row before another input is taken (5): after three, little of it is left.
        "-mutate_depth=2",
        # A day: the orchestrator ends a worker that is stuck. libFuzzer and Atheris look at the
        # clock alone, and end one that was stopped or frozen for a while, too.
        "-timeout=86400",
        "-rss_limit_mb=0",
        *plan.libfuzzer,
        f"-seed={plan.seed & 0x7FFFFFFF or 1}",
        "-handle_term=0",
        "-handle_int=0",
        f"-artifact_prefix={Path(plan.out) / 'harness'}/libfuzzer-",
        *plan.corpora,
    ]
