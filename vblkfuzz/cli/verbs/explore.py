"""`vblkfuzz explore`: an input under every schedule of a few deviations."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from vblkfuzz.cli.options.inputs import AnotherDefects, AnotherDevice, Json, OneInput
from vblkfuzz.cli.verb import Verb
from vblkfuzz.errors import ExitStatus, HarnessError
from vblkfuzz.limits import MAX_DEVIATIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vblkfuzz.cli.options.stop import Stop
    from vblkfuzz.explore.deviations import Visit
    from vblkfuzz.explore.explored import Explored
    from vblkfuzz.triage.outcome import Setup

_COLUMNS: Final = ("rule", "needs", "finding", "known")


def explore(  # noqa: PLR0913  # a verb's parameters are its options
    path: OneInput,
    deviations: Annotated[
        int,
        typer.Option(
            min=0, max=MAX_DEVIATIONS, metavar="N", help="Deviations of a schedule, at most."
        ),
    ] = 2,
    device: AnotherDevice = None,
    defect: AnotherDefects = None,
    runs: Annotated[int, typer.Option(min=0, metavar="N", help="Schedules to run; 0: all.")] = 0,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Output folder; an existing one is continued.")
    ] = Path("vblkfuzz-out"),
    as_json: Json = False,
) -> None:
    """Run an input's operations under every schedule of at most N deviations.

    Schedules with fewer deviations run first; the input's own schedule is not used. Runs on the
    model, inline. If it ends without a violation, no schedule within the bound breaks a rule with
    these operations on this device. Schedules that delay stores are not among them.

    Findings are saved in DIR/findings (vblkfuzz-out/findings if --out is not given), as those of
    a campaign.

    Exit code: 77 a violation; 125 a schedule could not be judged, or a finding could not be saved
    in DIR; 2 the file cannot be read; 130 or 72 stopped; else 0.
    """
    from vblkfuzz.cli.options.one_input import read_one
    from vblkfuzz.cli.options.stop import Stop
    from vblkfuzz.explore.deviations import explore as every_schedule
    from vblkfuzz.explore.explored import Explored
    from vblkfuzz.store.folder import claimed
    from vblkfuzz.targets.device_class import device_class
    from vblkfuzz.targets.registry import MODEL, open_target
    from vblkfuzz.triage.replay_target import Options, allow, setup_of

    artifact = read_one(path)
    options = Options(MODEL, device, "inline", tuple(defect or ()))
    setup = setup_of(artifact, options)
    with ExitStack() as stack:
        stop = stack.enter_context(Stop())
        try:
            allow(setup, options)
            stack.enter_context(claimed(out))
            target = stack.enter_context(open_target(*setup))
            explored = Explored(target, out / "findings", device_class(setup.device).known)
            visits = every_schedule(target, artifact.scenario, deviations)
            _watch(visits, explored, runs, stop)
        except HarnessError as error:
            raise type(error)(f"{path}: {error.sentence}") from error
    if as_json:
        print(json.dumps({"input": path, **_object(explored, setup, deviations)}))
    else:
        _report(explored, setup, deviations)
    raise typer.Exit(stop.status or _exit_status(explored))


def _watch(visits: Iterator[Visit], explored: Explored, runs: int, stop: Stop) -> None:
    """Run schedules until all have run, `runs` have run, or a signal arrives."""
    from vblkfuzz.cli.views.explore import ExploreView

    with ExploreView() as view:
        for visit in visits:
            view.update(visit)
            for found in explored.add(visit):
                view.announce(found)
            if stop.status or explored.schedules == runs:
                return
    explored.complete = True


def _exit_status(explored: Explored) -> ExitStatus:
    if any(found.saved.fallback for found in explored.findings.values()):
        return ExitStatus.HARNESS
    return ExitStatus.VIOLATION if explored.findings else ExitStatus.CLEAN


def _object(explored: Explored, setup: Setup, deviations: int) -> dict[str, object]:
    return {
        "target": setup.target,
        "device": setup.device,
        "mode": setup.mode,
        "deviations": deviations,
        "schedules": explored.schedules,
        "complete": explored.complete,
        "findings": [
            {
                "signature": signature,
                "rule": found.violation.rule,
                "deviations": found.deviations,
                "known": found.known,
                "path": str(found.saved.path),
            }
            for signature, found in explored.findings.items()
        ],
    }


def _report(explored: Explored, setup: Setup, deviations: int) -> None:
    from vblkfuzz.cli.views.screen import Screen
    from vblkfuzz.counted import counted

    screen = Screen()
    which = "all" if explored.complete else "stopped after"
    bound = counted(deviations, "deviation")
    findings = counted(len(explored.findings), "finding")
    ran = counted(explored.schedules, "schedule")
    screen.say(f"{setup.device}: {which} {ran} of at most {bound}, {findings}")
    if explored.findings:
        screen.table(
            _COLUMNS,
            [
                (
                    found.violation.rule,
                    counted(found.deviations, "deviation"),
                    signature,
                    found.known,
                )
                for signature, found in explored.findings.items()
            ],
            whole=2,
        )


VERB: Final = Verb(
    explore,
    examples=(
        "vblkfuzz explore corpus/regress/s1-reset-in-drain --device reference",
        "vblkfuzz explore scenario.toml --deviations 3 --runs 100000 --json",
    ),
    summary="Run an input under every schedule of a few deviations.",
)
