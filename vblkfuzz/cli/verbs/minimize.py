"""`vblkfuzz minimize`: the same bug in the smallest scenario."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

import typer

from vblkfuzz.cli.options import complete
from vblkfuzz.cli.options.inputs import AnotherDevice, AnotherMode, AnotherTarget, Json, OneInput
from vblkfuzz.cli.options.target import takes_target_options
from vblkfuzz.cli.verb import Verb
from vblkfuzz.errors import ExitStatus, HarnessError
from vblkfuzz.targets.options import TargetOptions

if TYPE_CHECKING:
    from vblkfuzz.cli.options.stop import Stop
    from vblkfuzz.minimize.on_target import MinimizedInput
    from vblkfuzz.scenario.artifact import Artifact
    from vblkfuzz.triage.replay_target import Options


class Result(NamedTuple):
    """The minimized input, and the artifact to write."""

    found: MinimizedInput
    artifact: Artifact


@takes_target_options
def minimize(  # noqa: PLR0913  # a verb's parameters are its options
    path: OneInput,
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="FILE", help="The .vblk or .toml file to write."),
    ],
    target: AnotherTarget = None,
    device: AnotherDevice = None,
    mode: AnotherMode = None,
    signature: Annotated[
        str | None,
        typer.Option(
            metavar="SIGNATURE",
            help="Minimize for this violation, not for the recorded one.",
            autocompletion=complete.signatures,
        ),
    ] = None,
    repeat: Annotated[
        int,
        typer.Option(
            min=1, metavar="N", help="Runs of each scenario until the bug shows, at most."
        ),
    ] = 1,
    force: Annotated[
        bool, typer.Option("--force", "-f", help="Replace a file that exists.")
    ] = False,
    as_json: Json = False,
    *,
    target_options: TargetOptions,
) -> None:
    """Write the smallest scenario that shows the same bug.

    The same bug means the same rule and the same signature. An input that shows another one
    instead is not minimized; --signature asks for that one. The smallest has the fewest
    operations, then the fewest deviations of the schedule, then the plainest device and
    arguments. Ctrl-C stops the search, and the best result so far is written.

    Exit code: 0 minimized; 2 a file cannot be read or written; 125 the input does not show its
    bug, or could not be judged; 130 or 72 stopped, the best result so far is written.
    """
    from vblkfuzz.cli.options.output_file import check_absent, check_suffix, write_output
    from vblkfuzz.cli.options.stop import Stop
    from vblkfuzz.triage.cases import one_file
    from vblkfuzz.triage.device_file import read_to_run
    from vblkfuzz.triage.replay_target import Options

    check_suffix(output, ".vblk", ".toml")
    check_absent(output, force=force)
    artifact = read_to_run(one_file(path))
    options = Options(target, device, mode, target_options=target_options)
    with Stop() as stop:
        result = _minimized(path, artifact, options, signature, repeat, stop)
        write_output(output, _file(output, result), force=force)
    if as_json:
        print(json.dumps({"input": path, "output": str(output), **_object(artifact, result)}))
    else:
        _report(output, artifact, result)
    raise typer.Exit(stop.status or ExitStatus.CLEAN)


def _minimized(
    path: str, artifact: Artifact, options: Options, signature: str | None, runs: int, stop: Stop
) -> Result:
    from vblkfuzz.cli.views.minimize import MinimizeView
    from vblkfuzz.minimize.on_target import Asked, minimize_input
    from vblkfuzz.scenario.expectation import Expectation
    from vblkfuzz.store.finding_artifact import finding_artifact
    from vblkfuzz.targets.registry import open_target, quick_target
    from vblkfuzz.triage.replay_target import allow, setup_of

    setup = setup_of(artifact, options)
    recorded = (setup.target, setup.device) == (artifact.target, artifact.device)
    expected = artifact.expectation if recorded else None
    if signature is not None:
        expected = Expectation("violation", signature=signature)
    with ExitStack() as stack:
        try:
            allow(setup, options)
            target = stack.enter_context(open_target(*setup, options.target_options))
            quick = quick_target(*setup, options.target_options)
            asked = Asked(target, quick and stack.enter_context(quick), runs)
            view = stack.enter_context(MinimizeView(artifact.scenario, stop))
            found = minimize_input(artifact.scenario, expected, asked, view.update)
        except HarnessError as error:
            raise type(error)(f"{path}: {error}") from error
        return Result(found, finding_artifact(target, *found.reproduction))


def _file(output: Path, result: Result) -> bytes:
    from vblkfuzz.scenario.artifact import dump_artifact
    from vblkfuzz.scenario.text import to_text

    artifact = result.artifact
    if output.suffix == ".vblk":
        return dump_artifact(artifact)
    sentence = result.found.reproduction.violation.sentence
    return to_text(artifact.scenario, sentence, artifact.expectation, artifact.device).encode()


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


def _report(output: Path, artifact: Artifact, result: Result) -> None:
    from vblkfuzz.cli.views.minimize import sizes
    from vblkfuzz.cli.views.screen import Screen

    minimized, (_, violation), errors = result.found
    screen = Screen()
    screen.say(f"{violation.rule}: {violation.sentence}", "bold")
    rows = [
        ("signature", violation.signature),
        ("before", sizes(artifact.scenario)),
        ("after", sizes(minimized.scenario)),
        ("tried", f"{minimized.tried}{'' if minimized.complete else ', stopped before the end'}"),
        *([("not judged", str(errors))] if errors else []),
        ("written", str(output)),
    ]
    for name, value in rows:
        screen.say(f"  {name:<11}{value}")


VERB: Final = Verb(
    minimize,
    examples=(
        "vblkfuzz minimize vblkfuzz-out/findings/SIGNATURE/finding.vblk -o small.toml",
        "vblkfuzz minimize finding.vblk -o small.vblk --mode inline --json",
    ),
)
