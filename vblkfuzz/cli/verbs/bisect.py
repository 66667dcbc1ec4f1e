"""`vblkfuzz bisect`: which revisions of the model, or which QEMU binaries, show a bug."""

from __future__ import annotations

import json
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Annotated, Final

import typer

from vblkfuzz.cli.options.inputs import Json, OneInput
from vblkfuzz.cli.options.target import takes_target_options
from vblkfuzz.cli.verb import Verb
from vblkfuzz.errors import ExitStatus, UsageError
from vblkfuzz.targets.options import TargetOptions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vblkfuzz.cli.views.screen import Screen
    from vblkfuzz.oracle.violation import Violation
    from vblkfuzz.scenario.expectation import Expectation
    from vblkfuzz.triage.bisect import Candidate, Judgement, Shows

_COLUMNS: Final = ("device", "", "runs", "signature")


class By(StrEnum):
    """What counts as the bug."""

    RULE = "rule"
    SIGNATURE = "signature"
    ANY = "any"


@takes_target_options
def bisect(  # noqa: PLR0913  # a verb's parameters are its options
    path: OneInput,
    more: Annotated[list[str] | None, typer.Argument(hidden=True)] = None,
    binaries: Annotated[
        list[str] | None,
        typer.Option(
            metavar="BINARY...",
            help="qemu-system-x86_64 binaries, oldest first.  [default: revisions of the model]",
        ),
    ] = None,
    by: Annotated[
        By, typer.Option(help="What counts as the bug: the input's rule, its signature, or any.")
    ] = By.RULE,
    repeat: Annotated[
        int,
        typer.Option(min=1, metavar="N", help="Runs on each device; one with the bug is enough."),
    ] = 1,
    as_json: Json = False,
    *,
    target_options: TargetOptions,
) -> None:
    """Show which revisions of the model, or which QEMU binaries, have a bug.

    All of them are run, in order. For an input without an expected verdict, every violation
    counts as the bug.

    Exit code, for `git bisect run`: 77 a device shows the bug; else 125 a device could not be
    started or judged; else 0.
    """
    from vblkfuzz.cli.options.one_input import read_one
    from vblkfuzz.cli.views.screen import Screen
    from vblkfuzz.triage.bisect import judge_all

    if more and not binaries:
        if not more[0]:
            raise UsageError("expected binaries after --binaries, found an empty argument")
        raise UsageError(f"{more[0]}: expected one PATH; name binaries after --binaries")
    artifact = read_one(path)
    names = [*(binaries or ()), *(more or ())]
    candidates = list(_binaries(names, target_options) if names else _revisions())
    expected = artifact.expectation
    judged = judge_all(artifact.scenario, candidates, _shows(expected, by), repeat)
    found = [*judged]
    if as_json:
        print(json.dumps({"input": path, "by": by, **_object(found)}))
    else:
        _report(Screen(), found)
    raise typer.Exit(_exit_status(found))


def _revisions() -> Iterator[Candidate]:
    from vblkfuzz.dataplane.revisions import REVISIONS
    from vblkfuzz.targets.registry import MODEL, open_target
    from vblkfuzz.triage.bisect import Candidate

    for name in REVISIONS:
        yield Candidate(name, partial(open_target, MODEL, name, "inline"))


def _binaries(names: list[str], options: TargetOptions) -> Iterator[Candidate]:
    from dataclasses import replace

    from vblkfuzz.targets.registry import default_device, open_target
    from vblkfuzz.triage.bisect import Candidate

    for name in names:
        its_options = replace(options, qemu_binary=name)
        device = default_device("qemu")
        yield Candidate(name, partial(open_target, "qemu", device, "processes", its_options))


def _shows(expected: Expectation | None, by: By) -> Shows:
    """Return a function that tells whether a violation is the bug that the input was saved for."""
    if expected is None or by is By.ANY:
        return lambda _violation: True
    wanted = expected.rule if by is By.RULE else expected.signature
    if not wanted:
        return lambda _violation: True

    def shows(violation: Violation) -> bool:
        return wanted == (violation.rule if by is By.RULE else violation.signature)

    return shows


def _exit_status(found: list[Judgement]) -> ExitStatus:
    standings = {judged.standing for judged in found}
    if "bad" in standings:
        return ExitStatus.VIOLATION
    return ExitStatus.HARNESS if "skip" in standings else ExitStatus.CLEAN


def _object(found: list[Judgement]) -> dict[str, object]:
    from vblkfuzz.triage.bisect import changes

    return {
        "devices": [judged._asdict() for judged in found],
        "changes": [change._asdict() for change in changes(found)],
    }


def _report(screen: Screen, found: list[Judgement]) -> None:
    from vblkfuzz.triage.bisect import changes

    screen.table(_COLUMNS, [_row(judged) for judged in found], whole=3)
    for change in changes(found):
        if change.standing == "bad":
            screen.say(f"first bad: {change.after}{_since(change.before)}")
        else:
            screen.say(f"first good after it: {change.after}")
    if all(judged.standing != "bad" for judged in found):
        screen.say("none of them shows the bug")


def _row(judged: Judgement) -> tuple[str, ...]:
    runs = f"{judged.bad}/{judged.runs}" if judged.runs else "-"
    return judged.name, judged.standing, runs, judged.signature or judged.error


def _since(before: str) -> str:
    return f" (last good: {before})" if before else ""


VERB: Final = Verb(
    bisect,
    examples=(
        "vblkfuzz bisect corpus/regress/s1-wrong-context",
        "vblkfuzz bisect finding.vblk --binaries v8.2/qemu v9.0/qemu --repeat 5",
    ),
    summary="Show which revisions or QEMU binaries have a bug.",
    usage="[OPTIONS] PATH [--binaries BINARY...]",
)
