"""`vblkfuzz replay`: run inputs again and print their verdicts.

Exit code: 77 if any run had a violation, expected or not; else 125 if any input could not be
judged; else 2 if any file could not be read; else 0. The other inputs run even if a file cannot be
read.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Annotated, Final

import typer

from vblkfuzz.cli.options.inputs import (
    AnotherDefects,
    AnotherDevice,
    AnotherMode,
    AnotherTarget,
    Measured,
)
from vblkfuzz.cli.options.target import takes_target_options
from vblkfuzz.cli.verb import Verb
from vblkfuzz.cli.views.complaint import say, say_error
from vblkfuzz.errors import ExitStatus, InputFileError
from vblkfuzz.targets.options import TargetOptions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vblkfuzz.scenario.artifact import Artifact
    from vblkfuzz.scenario.expectation import VerdictKind
    from vblkfuzz.triage.outcome import Outcome

_PRECEDENCE: Final = (ExitStatus.VIOLATION, ExitStatus.HARNESS, ExitStatus.USAGE)
_STATUS: Final[dict[VerdictKind, ExitStatus]] = {
    "clean": ExitStatus.CLEAN,
    "violation": ExitStatus.VIOLATION,
    "harness_error": ExitStatus.HARNESS,
}
_IN_WORDS: Final = {
    ExitStatus.VIOLATION: "with a violation",
    ExitStatus.HARNESS: "not judged",
    ExitStatus.USAGE: "not readable",
    ExitStatus.CLEAN: "clean",
}


@takes_target_options
def replay(  # noqa: PLR0913  # a verb's parameters are its options
    paths: Annotated[
        list[str], typer.Argument(metavar="PATH", help="Files or folders.", show_default=False)
    ],
    target: AnotherTarget = None,
    device: AnotherDevice = None,
    defect: AnotherDefects = None,
    mode: AnotherMode = None,
    repeat: Measured = None,
    trace: Annotated[bool, typer.Option("--trace", help="Print the whole trace.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object per input, nothing else on stdout.")
    ] = False,
    *,
    target_options: TargetOptions,
) -> None:
    """Run inputs again and print their verdicts.

    An input is an artifact (.vblk), a text (.toml) or a raw fuzz input; its content says which. A
    folder stands for all inputs below it, an output folder for its findings. A finding counts
    once, although its folder has its input in several forms.

    Each input runs on the target, device and mode that it was found on, unless options name
    others. One that cannot run here is a line, and the others follow. A device class of your own,
    or a target of another package, is used only if --device or --target names it.

    A device's file that an input names (on = "device.py:Class") is looked for beside the input,
    then in the working directory; it is run only if --device names it, too.

    With --repeat N the runs measure how often an input shows its bug, with its schedule and
    without. The rate of a finding is kept beside it, as by triage.

    Operations that the target does not have do nothing: stderr names them.

    Exit code: 77 any violation, expected or not; else 125 any input not judged; else 2 any file
    not readable; else 0.
    """
    from vblkfuzz.cli.views.rates import keep_rate
    from vblkfuzz.triage.replay_target import Options, ReplayTarget

    seen: Counter[ExitStatus] = Counter()
    report = _report_json if as_json else _report_text
    options = Options(target, device, mode, tuple(defect or ()), target_options)
    with ReplayTarget(options) as replay_target:
        for path, artifact in _inputs(paths):
            if artifact is None:
                seen[ExitStatus.USAGE] += 1
                continue
            measure = repeat is not None
            outcome = replay_target.replay(path, artifact, repeat or 1, measure=measure)
            report(outcome, trace)
            keep_rate(outcome)
            _report_left_out(outcome)
            if why := replay_target.why_free(artifact):
                say(f"{path}: {why}")
            seen[_STATUS[outcome.run.verdict]] += 1
    if seen.total() > 1 and not as_json:
        _report_total(seen)
    raise typer.Exit(next((status for status in _PRECEDENCE if status in seen), ExitStatus.CLEAN))


def _inputs(paths: list[str]) -> Iterator[tuple[str, Artifact | None]]:
    """Yield every input of the call; None for a file that cannot be read, after its report."""
    from vblkfuzz.cli.options.one_input import say_guess
    from vblkfuzz.triage.inputs import input_at, input_files

    for path in paths:
        try:
            files = input_files(path)
        except InputFileError as error:
            say_error(error)
            yield path, None
            continue
        for name in files:
            try:
                file = input_at(name)
            except InputFileError as error:
                say_error(error)
                yield name, None
                continue
            if name == path:
                say_guess(name, file)
            yield name, file.artifact


def _report_json(outcome: Outcome, trace: bool) -> None:
    from vblkfuzz.cli.views.replay_json import outcome_object

    print(json.dumps(outcome_object(outcome, with_trace=trace)), flush=True)


def _report_text(outcome: Outcome, trace: bool) -> None:
    from vblkfuzz.cli.views.replay_text import print_outcome
    from vblkfuzz.cli.views.screen import Screen

    print_outcome(outcome, Screen(), with_trace=trace)


def _report_left_out(outcome: Outcome) -> None:
    """Name what of an input did nothing on its target: operations, and fields of its device."""
    from vblkfuzz.targets.as_run import without_effect
    from vblkfuzz.targets.registry import TARGETS

    if outcome.run.execution is None:
        return  # its target may be one that must not be imported
    target = outcome.setup.target
    wanted, ran = outcome.artifact.scenario.device, outcome.run.execution.scenario.device
    for name in without_effect(wanted, ran):
        here = f"{outcome.setup.device} of target {target} has {name} = {getattr(ran, name)}"
        say(f"{outcome.input}: {name} = {getattr(wanted, name)} has no effect, {here}")
    scenario = outcome.artifact.scenario
    if ran.kind == "blk" and any(one.name == "tmf" for one in scenario.ops):
        say(f"{outcome.input}: left out, virtio-blk has no tmf")
    left_out = TARGETS.find(target).left_out(scenario)
    if left_out:
        say(f"{outcome.input}: left out, target {target} has no {', '.join(left_out)}")


def _report_total(seen: Counter[ExitStatus]) -> None:
    from vblkfuzz.cli.views.screen import Screen

    counts = (f"{seen[status]} {words}" for status, words in _IN_WORDS.items() if seen[status])
    Screen().say(f"{seen.total()} inputs: {', '.join(counts)}")


VERB: Final = Verb(
    replay,
    examples=(
        "vblkfuzz replay vblkfuzz-out/findings/ --json",
        "vblkfuzz replay vblkfuzz-out/harness --mode inline --repeat 100",
    ),
)
