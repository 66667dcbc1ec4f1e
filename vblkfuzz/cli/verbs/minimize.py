"""`vblkfuzz minimize`: the same bug in the smallest scenario."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

import typer

from vblkfuzz.cli.options import complete
from vblkfuzz.cli.options.inputs import AnotherDevice, AnotherMode, AnotherTarget
from vblkfuzz.cli.options.target import takes_target_options
from vblkfuzz.cli.verb import Verb
from vblkfuzz.cli.views.complaint import say_error
from vblkfuzz.errors import (
    ExitStatus,
    HarnessError,
    InputFileError,
    NotReproduced,
    UsageError,
    VblkfuzzError,
)
from vblkfuzz.targets.options import TargetOptions

if TYPE_CHECKING:
    from vblkfuzz.cli.options.stop import Stop
    from vblkfuzz.minimize.on_target import MinimizedInput
    from vblkfuzz.minimize.reproduce import Beginning
    from vblkfuzz.scenario.artifact import Artifact
    from vblkfuzz.scenario.expectation import Expectation
    from vblkfuzz.triage.minimize_jobs import Job
    from vblkfuzz.triage.outcome import Setup
    from vblkfuzz.triage.replay_target import Options

_Inputs = Annotated[
    str,
    typer.Argument(
        metavar="PATH",
        help="An input, a folder of inputs, or the output folder of a campaign.",
        show_default=False,
    ),
]
_Signature = Annotated[
    str | None,
    typer.Option(
        metavar="SIGNATURE",
        help="Minimize for this violation (the beginning will do), not for the recorded one.",
        autocompletion=complete.signatures,
    ),
]


class Asked(NamedTuple):
    """What the user asks for, whatever the input."""

    options: Options
    signature: str | None
    runs: int
    force: bool
    as_json: bool


class Result(NamedTuple):
    """The minimized input, and the artifact to write."""

    found: MinimizedInput
    artifact: Artifact


@takes_target_options
def minimize(  # noqa: PLR0913  # a verb's parameters are its options
    path: _Inputs,
    finding: Annotated[
        str | None,
        typer.Argument(
            metavar="SIGNATURE", help="Only the findings with this signature or beginning."
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="The .vblk or .toml file to write.  [default: beside the input]",
        ),
    ] = None,
    target: AnotherTarget = None,
    device: AnotherDevice = None,
    mode: AnotherMode = None,
    signature: _Signature = None,
    repeat: Annotated[
        int,
        typer.Option(
            min=1, metavar="N", help="Runs of each scenario until the bug shows, at most."
        ),
    ] = 1,
    force: Annotated[
        bool, typer.Option("--force", "-f", help="Minimize again, and replace a file that exists.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object per input, nothing else on stdout.")
    ] = False,
    *,
    target_options: TargetOptions,
) -> None:
    """Write the smallest scenario that shows the same bug.

    The same bug means the same rule and the same signature. An input that shows another one
    instead is not minimized; --signature asks for that one. The smallest has the fewest
    operations, then the fewest deviations of the schedule, then the plainest device and
    arguments. Ctrl-C stops the search, and the best result so far is written.

    Without -o, a finding gets a minimized.vblk beside it, which is replaced by a smaller one only;
    NAME.toml gets a NAME.minimized.toml. The input itself is never changed.

    Exit code: 0 minimized; 2 a file cannot be read or written; 125 an input does not show its
    bug, or could not be judged; 130 or 72 stopped, the best result so far is written.
    """
    from vblkfuzz.cli.options.stop import Stop
    from vblkfuzz.triage.replay_target import Options

    options = Options(target, device, mode, target_options=target_options)
    asked = Asked(options, signature, repeat, force, as_json)
    jobs = _jobs(path, finding, output, force=force)
    with Stop() as stop:
        status = _do(jobs, asked, stop)
    raise typer.Exit(stop.status or status)


def _jobs(path: str, finding: str | None, output: Path | None, *, force: bool) -> list[Job]:
    """Return the jobs.

    Raises:
        UsageError: `output` cannot be what was asked for.
    """
    from vblkfuzz.cli.options.output_file import check_absent, check_suffix
    from vblkfuzz.triage.minimize_jobs import jobs_of

    if output is not None:
        check_suffix(output, ".vblk", ".toml")
    jobs = jobs_of(path, finding, anew=force)
    if output is not None:
        if len(jobs) > 1:
            raise UsageError(f"-o {output}: expected one input, found {len(jobs)}: leave out -o")
        jobs = [jobs[0]._replace(output=output)]
    if len(jobs) == 1 and jobs[0].finding is None:
        check_absent(jobs[0].output, force=force)
    return jobs


def _do(jobs: list[Job], asked: Asked, stop: Stop) -> ExitStatus:
    """Do the jobs until one is stopped; return the worst exit status."""
    status = ExitStatus.CLEAN
    for number, job in enumerate(jobs, 1):
        if stop.status is not None:
            break
        try:
            _begin(job, asked, stop, f"{number} of {len(jobs)}: " if len(jobs) > 1 else "")
        except VblkfuzzError as error:
            if len(jobs) == 1:
                raise
            say_error(error)
            status = max(status, error.exit_status)
    return status


def _begin(job: Job, asked: Asked, stop: Stop, place: str) -> None:
    """Do a job with the smallest input that shows the bug."""
    try:
        _do_one(job, asked, stop, place)
    except (InputFileError, NotReproduced):
        if not job.otherwise or stop.status is not None:
            raise
        anew = job._replace(input=job.otherwise, otherwise="", replaces=True)
        _do_one(anew, asked, stop, place)


def _do_one(job: Job, asked: Asked, stop: Stop, place: str) -> None:
    from vblkfuzz.cli.options.one_input import say_guess
    from vblkfuzz.cli.options.output_file import check_absent
    from vblkfuzz.triage.inputs import input_at

    with stop.at_once():
        file = input_at(job.input)
    say_guess(job.input, file)
    artifact = file.artifact
    if job.finding is None:
        check_absent(job.output, force=asked.force)
    elif job.done and not asked.force and asked.signature is None:
        _tell_done(job, artifact, asked)
        return
    result = _minimized(job, artifact, asked, stop, place)
    kept = _write(job, result, force=asked.force)
    if asked.as_json:
        named = {"input": job.input, "output": str(job.output)}
        print(json.dumps({**named, **_object(artifact, result)}), flush=True)
    else:
        _report(job, artifact, result, kept=kept)


def _minimized(job: Job, artifact: Artifact, asked: Asked, stop: Stop, place: str) -> Result:
    from vblkfuzz.cli.views.minimize import MinimizeView
    from vblkfuzz.minimize import on_target
    from vblkfuzz.store.finding_artifact import finding_artifact
    from vblkfuzz.targets.registry import open_target, quick_target
    from vblkfuzz.triage.replay_target import allow, setup_of

    options = asked.options
    setup = setup_of(artifact, options)
    expected = _expected(job, artifact, setup, asked)
    with ExitStack() as stack:
        try:
            allow(setup, options)
            target = stack.enter_context(open_target(*setup, options.target_options))
            quick = quick_target(*setup, options.target_options)
            targets = on_target.Asked(target, quick and stack.enter_context(quick), asked.runs)
            view = stack.enter_context(MinimizeView(artifact.scenario, stop, place))
            found = on_target.minimize_input(artifact.scenario, expected, targets, view.update)
        except HarnessError as error:
            raise type(error)(f"{job.input}: {error.sentence}") from error
        return Result(found, finding_artifact(target, *found.reproduction))


def _expected(
    job: Job, artifact: Artifact, setup: Setup, asked: Asked
) -> Expectation | Beginning | None:
    """Return the violation to minimize for; None: the first cause.

    Raises:
        UsageError: the result would be another bug than that of the finding which it lies beside.
    """
    from vblkfuzz.minimize.reproduce import Beginning

    recorded = (setup.target, setup.device) == (artifact.target, artifact.device)
    expected = artifact.expectation if recorded else None
    named = expected.signature if expected else ""
    if asked.signature is None or named.startswith(asked.signature):
        wanted: Expectation | Beginning | None = expected
    else:
        wanted = Beginning(asked.signature)
    if job.finding and (not named or wanted is not expected):
        other = asked.signature or f"{setup.target} {setup.device}"
        raise UsageError(f"{job.output}: is not for {other}: name another file with -o")
    return wanted


def _write(job: Job, result: Result, *, force: bool) -> bool:
    """Write the result; return False if a smaller one was there.

    Raises:
        UsageError: the file cannot be written.
    """
    from vblkfuzz.cli.options.output_file import write_output
    from vblkfuzz.minimize.beside import Smaller, keep, reduction_of

    if job.finding is None:
        write_output(job.output, _file(job.output, result), force=force)
        return True
    minimized = result.found.minimized
    earlier = None if job.replaces else reduction_of(job.finding)
    tried = minimized.tried + (earlier.tried if earlier else 0)
    sentence = result.found.reproduction.violation.sentence
    smaller = Smaller(result.artifact, sentence, tried, minimized.complete)
    try:
        kept = keep(job.finding, smaller, force=job.replaces)
    except OSError as error:
        raise UsageError(f"{job.output}: cannot be written: {error.strerror or error}") from None
    size = len(minimized.scenario.ops), len(minimized.scenario.schedule)
    return (kept.ops, kept.deviations) == size


def _file(output: Path, result: Result) -> bytes:
    from vblkfuzz.scenario.artifact import artifact_text, dump_artifact

    artifact = result.artifact
    if output.suffix == ".vblk":
        return dump_artifact(artifact)
    sentence = result.found.reproduction.violation.sentence
    return artifact_text(artifact, sentence).encode()


def _object(artifact: Artifact, result: Result) -> dict[str, object]:
    (minimized, (execution, violation), errors), kept = result
    before, after = artifact.scenario, minimized.scenario
    return {
        "rule": violation.rule,
        "signature": violation.signature,
        "trace_digest": execution.trace.digest,
        "target": kept.target,
        "device": kept.device,
        "mode": kept.mode,
        "ops": len(after.ops),
        "deviations": len(after.schedule),
        "ops_before": len(before.ops),
        "deviations_before": len(before.schedule),
        "tried": minimized.tried,
        "harness_errors": errors,
        "complete": minimized.complete,
    }


def _report(job: Job, artifact: Artifact, result: Result, *, kept: bool) -> None:
    from vblkfuzz.cli.views.minimize import sizes
    from vblkfuzz.cli.views.screen import Screen

    minimized, (_, violation), errors = result.found
    screen = Screen()
    screen.wrapped(violation.sentence, label=f"{violation.rule}: ", style="bold")
    rows = [
        ("signature", violation.signature),
        ("before", sizes(artifact.scenario)),
        ("after", sizes(minimized.scenario)),
        ("tried", f"{minimized.tried}{'' if minimized.complete else ', stopped before the end'}"),
        *([("not judged", str(errors))] if errors else []),
        ("written" if kept else "kept", f"{job.output}{'' if kept else ', which is smaller'}"),
    ]
    for name, value in rows:
        screen.say(f"  {name:<11}{value}")


def _tell_done(job: Job, artifact: Artifact, asked: Asked) -> None:
    """Say of a finding that it was minimized before, to the end."""
    from vblkfuzz.cli.views.screen import Screen

    expected, done = artifact.expectation, job.done
    assert done is not None
    if asked.as_json:
        named = {"input": job.input, "output": str(job.output), "before": True}
        bug = {"rule": expected.rule, "signature": expected.signature} if expected else {}
        print(json.dumps({**named, **bug, **asdict(done)}), flush=True)
    else:
        Screen().say(f"{job.output}: minimized already: {done}; --force does it again")


VERB: Final = Verb(
    minimize,
    examples=(
        "vblkfuzz minimize vblkfuzz-out s1-reset",
        "vblkfuzz minimize scenario.toml -o small.toml --signature s1",
    ),
)
