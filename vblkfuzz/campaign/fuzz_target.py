"""A fuzz target in the style of libFuzzer: one worker, its flags and folders on the command line.

    python fuzz/fuzz_drain.py [-runs=N] [-max_total_time=S] [-seed=N] [-ignore_crashes=1]
                              [-feedback=0] [-states=0] [libFuzzer flags] [CORPUS | FILE]...

The first corpus folder takes new inputs, as in libFuzzer; files are run once each. What libFuzzer
users would look for as crash files are findings: ``$VBLKFUZZ_OUT/findings`` (default
``vblkfuzz-out/findings``). ``-feedback=0`` hides coverage from libFuzzer and
``-states=0`` the part that is no code, to see what they are worth.

Exit codes: 0 budget spent, 77 a finding (not with ``-ignore_crashes=1``: then fuzzing goes on and
ends with 0), 2 usage, 70 inputs that hung, 125 the harness could not judge, 130 ctrl-C, 72 SIGTERM.
For many workers, statistics and resuming there is `vblkfuzz fuzz`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from vblkfuzz.campaign.libfuzzer import check_arguments
from vblkfuzz.errors import ExitStatus, UsageError, VblkfuzzError
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
"""Flags that we act on ourselves, and what they are when left out."""


def plan_of(arguments: Sequence[str], device: str, out: Path) -> WorkerPlan:
    """Return what a command line asks for.

    Raises:
        UsageError: a flag that cannot be used, or a corpus that is not there.
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
        seconds=own["max_total_time"],
        stop_on_first=not own["ignore_crashes"],
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
    """Do what this program's command line says, and exit.

    Args:
        device: as in ``--device`` of `vblkfuzz fuzz`.
        flags: what comes before the command line's own flags.
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

    for folder in ("findings", "harness"):
        Path(plan.out, folder).mkdir(parents=True, exist_ok=True)
    failed = []

    def say(message: Message) -> None:
        if message.kind == "finding":
            print(f"exec {message.execs}: {message.rule}: {message.sentence}", file=sys.stderr)
            print(f"    {message.fallback} {message.path}", file=sys.stderr)
        if message.kind in ("harness_error", "hang"):
            print(f"exec {message.execs}: harness error: {message.name}", file=sys.stderr)
        if message.kind in ("harness_error", "hang") or message.fallback:
            failed.append(message.kind)

    status = fuzz(plan, say)
    if not failed or status is not ExitStatus.CLEAN:
        return status
    return ExitStatus.TIMEOUT if set(failed) == {"hang"} else ExitStatus.HARNESS
