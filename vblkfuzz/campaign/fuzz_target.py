"""A fuzz target in the style of libFuzzer: one worker, with flags and folders as its arguments.

    python fuzz/fuzz_drain.py [-runs=N] [-max_total_time=S] [-seed=N] [-ignore_crashes=1]
                              [-feedback=0] [-states=0] [libFuzzer flags] [CORPUS | FILE]...

New inputs are written to the first corpus folder, as in libFuzzer; files are run once each. There
are no crash files; findings are in ``$VBLKFUZZ_OUT/findings`` (default ``vblkfuzz-out/findings``).
``-feedback=0`` hides all coverage from libFuzzer, ``-states=0`` hides the state features, to
measure what they are worth.

Exit codes: 0 budget spent, 77 a finding (not with ``-ignore_crashes=1``: fuzzing then continues
and ends with 0), 2 usage, 70 inputs that hung, 125 the harness could not judge, 130 ctrl-C,
72 SIGTERM. Use `vblkfuzz fuzz` for several workers, statistics and resuming, and the target in
`vblkfuzz.fuzz_target` where libFuzzer itself is to write crash files and to end.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from vblkfuzz.campaign.libfuzzer import check_arguments
from vblkfuzz.errors import ExitStatus, HarnessError, UsageError, VblkfuzzError
from vblkfuzz.launch.plan import WorkerPlan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.launch.plan import Message

_OWN_FLAGS: Final = {
    "runs": -1,
    "max_total_time": 0,
    "seed": 1,
    "ignore_crashes": 0,
    "feedback": 1,
    "states": 1,
}
"""Flags that libFuzzer does not get, and their defaults."""


def plan_of(arguments: Sequence[str], device: str, out: Path) -> WorkerPlan:
    """Return the plan for a command line.

    Raises:
        UsageError: a flag cannot be used, or a corpus folder or input does not exist.
    """
    own, passed_on, corpora = dict(_OWN_FLAGS), [], []
    for argument in arguments:
        flag, _, value = argument.removeprefix("-").partition("=")
        if not argument.startswith("-"):
            corpora.append(argument)
        elif flag in own:
            own[flag] = _number(argument, value)
        else:
            passed_on.append(argument)
    check_arguments(passed_on)
    for path in corpora:
        if not Path(path).exists():
            raise UsageError(f"{path}: expected a corpus folder or an input")
    return WorkerPlan(
        index=0,
        device=device,
        mode="processes",
        seed=own["seed"],
        out=str(out),
        runs=max(0, own["runs"]),
        deadline=time.monotonic() + seconds if (seconds := own["max_total_time"]) > 0 else 0,
        stop_on_first=not own["ignore_crashes"],
        stop_on_known=True,
        feedback=bool(own["feedback"]),
        states=bool(own["states"]),
        corpora=corpora,
        libfuzzer=passed_on,
    )


def _number(argument: str, value: str) -> int:
    try:
        return int(value)
    except ValueError:
        raise UsageError(f"{argument}: expected an integer") from None


def run(device: str, flags: Sequence[str] = ()) -> NoReturn:
    """Run the worker that the command line of this program describes, and exit.

    Args:
        device: as in ``--device`` of `vblkfuzz fuzz`.
        flags: flags to put before those of the command line.
    """
    try:
        out = Path(os.environ.get("VBLKFUZZ_OUT", "vblkfuzz-out"))
        plan = plan_of((*flags, *sys.argv[1:]), device, out)
        status = _fuzz(plan)
    except (VblkfuzzError, OSError) as error:
        print(f"{sys.argv[0]}: {error}", file=sys.stderr)
        status = error.exit_status if isinstance(error, VblkfuzzError) else ExitStatus.HARNESS
    sys.stderr.flush()
    os._exit(status)  # libFuzzer's exit hooks would dump the last input as a crash


def _fuzz(plan: WorkerPlan) -> ExitStatus:
    from vblkfuzz.campaign.worker import fuzz

    for folder in ("findings", "harness", "log"):
        Path(plan.out, folder).mkdir(parents=True, exist_ok=True)
    failed = []

    def report(message: Message) -> None:
        if message.kind == "finding":
            print(f"exec {message.execs}: {message.rule}: {message.sentence}", file=sys.stderr)
            print(f"    {message.fallback} {message.path}", file=sys.stderr)
        if message.kind in ("harness_error", "hang"):
            print(f"exec {message.execs}: harness error: {message.name}", file=sys.stderr)
        if message.kind == "warning":
            print(f"warning: {message.name}", file=sys.stderr)
        if message.kind in ("harness_error", "hang") or message.fallback:
            failed.append(message.kind)

    status = fuzz(plan, report)
    if status is None:
        if not all(Path(path).is_file() for path in plan.corpora or ["."]):
            raise HarnessError("libFuzzer ended before the budget was spent; it says why above")
        status = ExitStatus.CLEAN
    if not failed or status is not ExitStatus.CLEAN:
        return status
    return ExitStatus.TIMEOUT if set(failed) == {"hang"} else ExitStatus.HARNESS
