"""libFuzzer's command line: the arguments of a worker, and those that users may add after ``--``.

vblkfuzz itself handles limits, artifacts and signals, since libFuzzer would end the worker in a way
that looks like a crash. Users' flags for them are refused; the error names the option to use
instead. All other flags of users come after the defaults and override them.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vblkfuzz.errors import UsageError
from vblkfuzz.feedback.libfuzzer_flags import FLAGS
from vblkfuzz.triage.shell_word import shell_word

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.launch.plan import WorkerPlan

_SET: Final = "vblkfuzz sets it"
_OTHER_JOB: Final = "not a campaign"
_ENDS: Final = "it would end a worker before its budget; use --runs or --max-total-time"
_REFUSED: Final = {
    "runs": "use --runs",
    "atheris_runs": "use --runs",
    "max_total_time": "use --max-total-time",
    "seed": "use --seed",
    "workers": "use --workers",
    "jobs": "use --workers",
    "fork": "use --workers",
    "merge": _OTHER_JOB,
    "merge_inner": _OTHER_JOB,
    "merge_control_file": _OTHER_JOB,
    "set_cover_merge": _OTHER_JOB,
    "minimize_crash": _OTHER_JOB,
    "minimize_crash_internal_step": _OTHER_JOB,
    "cleanse_crash": _OTHER_JOB,
    "analyze_dict": _OTHER_JOB,
    "collect_data_flow": _OTHER_JOB,
    "run_equivalence_server": _OTHER_JOB,
    "help": _OTHER_JOB,
    "stop_file": _ENDS,
    "exit_on_src_pos": _ENDS,
    "exit_on_item": _ENDS,
    "ignore_remaining_args": _SET,
    "artifact_prefix": _SET,
    "exact_artifact_path": _SET,
    "handle_int": _SET,
    "handle_term": _SET,
}


def check_arguments(arguments: Sequence[str]) -> None:
    """Check the libFuzzer arguments of a user.

    Raises:
        UsageError: one of them is no flag, or a flag that a campaign cannot pass on.
    """
    for argument in arguments:
        flag, equals, _ = argument.removeprefix("-").partition("=")
        if not argument.startswith("-"):
            instead = _instead_of(argument)
            raise UsageError(f"libFuzzer argument {argument}: expected -flag=value; {instead}")
        if argument.startswith("--") or not equals:
            raise UsageError(f"libFuzzer argument {argument}: expected -flag=value")
        if flag in _REFUSED:
            raise UsageError(f"libFuzzer argument {argument}: {_REFUSED[flag]}")


def _instead_of(path: str) -> str:
    """Say how an input or a folder of inputs is given."""
    if Path(path).is_file():
        return f"to run an input: vblkfuzz replay {shell_word(path)}"
    # libFuzzer writes new inputs into the first folder, a campaign does not.
    return f"a folder of inputs to start from is --corpus {shell_word(path)}"


def arguments_of(plan: WorkerPlan) -> list[str]:
    """Return the arguments for `atheris.Setup`."""
    return [
        f"{sys.executable} -m vblkfuzz.campaign.worker",
        *FLAGS,
        # One day, that is never: the orchestrator ends a stuck worker. libFuzzer and Atheris
        # measure elapsed time only, so they would also end a worker that was suspended.
        "-timeout=86400",
        "-rss_limit_mb=0",
        *plan.libfuzzer,
        f"-seed={plan.seed & 0x7FFFFFFF or 1}",
        "-handle_term=0",
        "-handle_int=0",
        # What libFuzzer writes by itself, such as slow units, is no input without a verdict.
        f"-artifact_prefix={Path(plan.out) / 'log'}/libfuzzer-",
        *plan.corpora,
    ]
