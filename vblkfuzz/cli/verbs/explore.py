"""`vblkfuzz explore`: an input under every schedule of a few deviations."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from vblkfuzz.cli.options.inputs import AnotherDefects, AnotherDevice, ATarget, Json, OneInput
from vblkfuzz.cli.options.target import takes_target_options
from vblkfuzz.cli.verb import Verb
from vblkfuzz.cli.views.complaint import say
from vblkfuzz.counted import counted
from vblkfuzz.errors import ExitStatus, HarnessError, UsageError
from vblkfuzz.explore.alphabets import ALPHABETS
from vblkfuzz.limits import MAX_DEVIATIONS, MAX_OPS
from vblkfuzz.targets.options import TargetOptions

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vblkfuzz.cli.options.stop import Stop
    from vblkfuzz.explore.exploration import Exploration
    from vblkfuzz.explore.explored import Explored
    from vblkfuzz.scenario.artifact import Artifact
    from vblkfuzz.targets.target import Target
    from vblkfuzz.triage.outcome import Setup
    from vblkfuzz.triage.replay_target import Options


_Deviations = Annotated[
    int,
    typer.Option(min=0, max=MAX_DEVIATIONS, metavar="N", help="Deviations of a schedule, at most."),
]
_DeviateIn = Annotated[
    list[int] | None,
    typer.Option(
        min=0, metavar="N", help="Deviate in this operation only; repeatable.  [default: all]"
    ),
]
_Stories = Annotated[
    int,
    typer.Option(
        min=0,
        max=MAX_OPS,
        metavar="N",
        help="All stories of at most N operations instead of an input; 0: an input.",
    ),
]
_Alphabet = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help=f"Operations of stories: {', '.join(ALPHABETS)}, or a list as in init,kick,reset.",
    ),
]
_Workers = Annotated[
    int, typer.Option(min=0, help="Processes that explore stories; 0: one for each core.")
]
_Out = Annotated[
    Path, typer.Option(metavar="DIR", help="Output folder; an existing one is continued.")
]


@takes_target_options
def explore(  # noqa: PLR0913  # a verb's parameters are its options
    path: OneInput = "",
    deviations: _Deviations = 2,
    op: _DeviateIn = None,
    stories: _Stories = 0,
    alphabet: _Alphabet = "drain",
    workers: _Workers = 0,
    target: ATarget = "model",
    device: AnotherDevice = None,
    defect: AnotherDefects = None,
    runs: Annotated[int, typer.Option(min=0, metavar="N", help="Schedules to run; 0: all.")] = 0,
    out: _Out = Path("vblkfuzz-out"),
    as_json: Json = False,
    *,
    target_options: TargetOptions,
) -> None:
    """Run an input's operations under every schedule of at most N deviations.

    Schedules with fewer deviations run first; the input's own schedule is not used. The model
    runs inline. If that ends without a violation, no schedule within the bound breaks a rule with
    these operations on this device. Schedules that delay stores are not among them.

    On target qemu, the threads of the process go on one at a time. One of them is held at each of
    its trace events, then at each of its locks, then threads are held at two events of one
    operation, or of one and the next. If it is stopped, the same command goes on from there
    (DIR/explore.json).

    With --stories there is no input: every sequence of at most N operations of an alphabet is run,
    shortest first, each under every schedule of at most --deviations that makes a difference. So
    the first finding of a kind is one of the shortest. If it is stopped or killed, the same command
    goes on (DIR/explore-stories.json).

    Findings are saved in DIR/findings (vblkfuzz-out/findings if --out is not given), as those of
    a campaign.

    Exit code: 77 a violation; 125 a schedule could not be judged, or a finding could not be saved
    in DIR; 2 the file cannot be read; 130 or 72 stopped; else 0.
    """
    from vblkfuzz.targets.registry import MODEL

    if bool(path) is bool(stories):
        raise UsageError("explore: expected either an input or --stories N")
    if not stories:
        options = _options(target, device, defect, target_options)
        status = _explore_input(path, deviations, op or (), options, runs, out, as_json=as_json)
        raise typer.Exit(status)
    if target != MODEL or op or runs:
        raise UsageError("--stories: works on the model, without --op and --runs")

    from vblkfuzz.cli.options.stories import Bound, explore_stories

    bound = Bound(stories, alphabet, deviations, workers)
    raise typer.Exit(explore_stories(bound, device, defect or (), out, as_json=as_json))


def _explore_input(  # noqa: PLR0913  # options of the verb
    path: str,
    deviations: int,
    ops: Sequence[int],
    options: Options,
    runs: int,
    out: Path,
    *,
    as_json: bool,
) -> ExitStatus:
    """Explore the schedules of an input and print the result."""
    from vblkfuzz.cli.options.one_input import read_one
    from vblkfuzz.cli.options.stop import Stop
    from vblkfuzz.explore.exploration import Bounds, Exploration
    from vblkfuzz.targets.device_class import device_class
    from vblkfuzz.targets.registry import MODEL
    from vblkfuzz.triage.replay_target import setup_of

    artifact = read_one(path)
    bounds = Bounds(deviations, _checked(ops, artifact))
    setup = setup_of(artifact, options)
    with Stop() as stop:
        try:
            with _started(setup, options, out) as started:
                listed = dict(device_class(setup.device).known) if setup.target == MODEL else {}
                exploration = Exploration(started, artifact.scenario, bounds, out, listed)
                exploration.remember(options.target_options)
                _watch(exploration, runs, stop)
        except HarnessError as error:
            raise type(error)(f"{path}: {error.sentence}") from error
    _report_left_out(path, setup, artifact)
    _report(path, exploration.explored, setup, deviations, as_json=as_json)
    return stop.status or _exit_status(exploration.explored)


@contextmanager
def _started(setup: Setup, options: Options, out: Path) -> Iterator[Target]:
    """Claim the folder and start the target."""
    from vblkfuzz.explore.choice import check_gate
    from vblkfuzz.store.folder import claimed
    from vblkfuzz.targets.registry import open_target
    from vblkfuzz.triage.replay_target import allow

    allow(setup, options)
    target = open_target(*setup, options.target_options)
    check_gate(target)  # here, too: some say it before they start
    with claimed(out), target as started:
        yield started


def _checked(ops: Sequence[int], artifact: Artifact) -> tuple[int, ...]:
    count = len(artifact.scenario.ops)
    for op in ops:
        if op >= count:
            raise UsageError(f"--op {op}: the input has {counted(count, 'operation')}, 0 is first")
    return tuple(sorted(set(ops)))


def _options(
    target: str, device: str | None, defects: list[str] | None, target_options: TargetOptions
) -> Options:
    from vblkfuzz.targets.registry import MODEL
    from vblkfuzz.triage.replay_target import Options

    if target_options.serial is False:
        raise UsageError("--no-serial: no schedule has an effect then; leave it out")
    mode = "inline" if target == MODEL else None
    return Options(target, device, mode, tuple(defects or ()), replace(target_options, serial=True))


def _watch(exploration: Exploration, runs: int, stop: Stop) -> None:
    """Run schedules until all have run, `runs` have run, or a signal arrives."""
    from vblkfuzz.cli.views.explore import ExploreView

    explored = exploration.explored
    explored.stopped = lambda: stop.status is not None
    before = explored.schedules
    with ExploreView(before) as view:
        try:
            for visit in exploration.visits():
                new = explored.add(visit)
                view.update(visit, len(explored.findings))
                for found in new:
                    view.announce(found)
                exploration.keep(now=bool(new))
                if stop.status or explored.schedules - before == runs:
                    view.stopped(goes_on=exploration.remembers)
                    return
            explored.complete = True
        except HarnessError:
            if stop.status is None:
                raise
            view.stopped(goes_on=exploration.remembers)
        finally:
            exploration.keep(now=True)


def _exit_status(explored: Explored) -> ExitStatus:
    if any(found.fallback for found in explored.findings.values()):
        return ExitStatus.HARNESS
    if explored.findings:
        return ExitStatus.VIOLATION
    return ExitStatus.HARNESS if explored.unjudged else ExitStatus.CLEAN


def _report_left_out(path: str, setup: Setup, artifact: Artifact) -> None:
    """Name the operations of an input that did nothing on its target."""
    from vblkfuzz.targets.registry import TARGETS

    left_out = TARGETS.find(setup.target).left_out(artifact.scenario)
    if left_out:
        say(f"{path}: left out, target {setup.target} has no {', '.join(left_out)}")


def _report(path: str, explored: Explored, setup: Setup, deviations: int, *, as_json: bool) -> None:
    from vblkfuzz.cli.views.explore_report import explored_object, print_explored

    if as_json:
        print(json.dumps({"input": path, **explored_object(explored, setup, deviations)}))
    else:
        print_explored(explored, setup, deviations)


VERB: Final = Verb(
    explore,
    examples=(
        "vblkfuzz explore corpus/regress/s1-reset-in-drain --device reference",
        "vblkfuzz explore --stories 3 --device reference",
    ),
    summary="Run an input, or all short stories, under all short schedules.",
)
