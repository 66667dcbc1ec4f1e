"""`vblkfuzz status`: the progress of the campaigns of an output folder."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from vblkfuzz.cli.verb import Verb
from vblkfuzz.errors import InputFileError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.cli.views.screen import Screen
    from vblkfuzz.store.history import CampaignRecord, History


def status(
    places: Annotated[
        list[str],
        typer.Argument(
            metavar="DIR|STORE",
            help="The output folder of a campaign, or a store; several: a table.",
            show_default=False,
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
    csv: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write all figures over time; - is standard output."),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(metavar="FILE.svg|png", help="Draw figures over time (extra plot)."),
    ] = None,
    rebuild: Annotated[
        bool,
        typer.Option("--rebuild", help="First restore a ledger that is damaged or gone."),
    ] = False,
) -> None:
    """Show the progress of a campaign, running, ended or killed.

    Reads the ledger (campaign.sqlite), which a running campaign writes every few seconds. With
    --rebuild, what can still be read of it is kept, and findings that it lacks are added from their
    files; the old ledger stays beside it under another name.

    Of a store (fuzz --store), what all its nodes have done together. Of several folders, a row
    each, and with --json an array; the exit status is 2 if one of them cannot be read.

    With --plot or --csv, nothing is shown, and an older file is replaced, by --csv only one of its
    own. It has a row for each entry of the ledger and, with a number in the column worker, for each
    entry of one worker.
    """
    from vblkfuzz.cli.views.store_status import show_store
    from vblkfuzz.store.store_summary import is_store

    stores = [one for one in places if is_store(one)]
    if stores and (csv or plot):
        raise UsageError(
            f"{stores[0]}: a store has no figures over time; name the folder of a node"
        )
    if len(places) > 1:
        if csv or plot or rebuild:
            raise UsageError("several places: without --csv, --plot and --rebuild")
        if stores:
            raise UsageError(f"{stores[0]}: is a store; of several places, all must be folders")
        _several([Path(one) for one in places], as_json=as_json)
    elif stores:
        show_store(stores[0], as_json=as_json)
    else:
        folder = Path(places[0])
        if rebuild:
            _rebuild(folder)
        _one(folder, csv, plot, as_json=as_json)


def _one(folder: Path, csv: Path | None, plot: Path | None, *, as_json: bool) -> None:
    history, running = _read(folder)
    if csv:
        _write_csv(folder, csv)
    if plot:
        _write_plot(folder, plot)
    if csv or plot:
        return
    if as_json:
        print(json.dumps(_object(folder, history, running)))
    else:
        _print(folder, history, running)


def _several(folders: Sequence[Path], *, as_json: bool) -> None:
    """Print what several folders have, a row each; one that cannot be read hides no other.

    Raises:
        InputFileError: the first of those that cannot be read.
    """
    from vblkfuzz.cli.views.complaint import say
    from vblkfuzz.cli.views.screen import Screen

    found, failed = [], []
    for folder in folders:
        try:
            found.append((folder, *_read(folder)))
        except InputFileError as error:
            failed.append(error)
    if as_json:
        print(json.dumps([_object(*one) for one in found]))
    else:
        heads = ("folder", "state", "executions", "/s", "features", "findings")
        Screen().table(heads, [_row(*one) for one in found], whole=0)
    for other in failed[1:]:
        say(str(other))
    if failed:
        raise failed[0]


def _row(folder: Path, history: History, running: bool) -> tuple[str, ...]:
    from vblkfuzz.store.saved_findings import saved_findings

    campaigns = _with_states(history, running)
    record, state = campaigns[-1] if campaigns else (None, "empty")
    speed, features = (record.execs_per_s, record.features) if record else (0, 0)
    figures = (history.execs, speed, features, len(saved_findings(folder)))
    return (str(folder), state, *(f"{one:,.0f}" for one in figures))


def _read(folder: Path) -> tuple[History, bool]:
    """Return what a folder has, and whether a campaign runs in it.

    Raises:
        InputFileError: it is no output folder, or its ledger cannot be read.
    """
    from vblkfuzz.store.folder import is_claimed
    from vblkfuzz.store.history import LEDGER, read_history

    if not (folder / LEDGER).is_file():
        found = f"no {LEDGER} in it" if folder.is_dir() else "no such folder"
        problem = f"expected the output folder of a campaign, found {found}"
        raise InputFileError(str(folder), "", problem)
    return read_history(folder / LEDGER), is_claimed(folder)


def _rebuild(folder: Path) -> None:
    """Restore the ledger; say on stderr how, as --json has stdout."""
    from vblkfuzz.cli.views.complaint import say
    from vblkfuzz.counted import counted
    from vblkfuzz.store.folder import PARTS
    from vblkfuzz.store.history import LEDGER
    from vblkfuzz.store.rebuild import rebuild

    if not any((folder / name).exists() for name in (LEDGER, *PARTS)):
        found = "none of its parts in it" if folder.is_dir() else "no such folder"
        problem = f"expected the output folder of a campaign, found {found}"
        raise InputFileError(str(folder), "", problem)
    done = rebuild(folder, folder / LEDGER)
    say(
        f"{folder / LEDGER}: {counted(done.rows, 'row')} kept; from files: "
        f"{counted(done.campaigns, 'campaign')}, {counted(len(done.findings), 'finding')}"
    )
    if done.problem:
        say(f"not all of the old one could be read: {done.problem}")
    if done.findings:
        say("not known of what is from files: executions, times, counts, situations")
    for name in done.unreadable:
        say(f"{name}: left out, its finding.vblk cannot be read")
    if done.kept:
        say(f"the old one is {folder / done.kept}")


def _write_csv(folder: Path, output: Path) -> None:
    from vblkfuzz.cli.options.output_file import check_written_before, print_output
    from vblkfuzz.cli.views.course_csv import HEAD, csv_text
    from vblkfuzz.store.course import read_courses
    from vblkfuzz.store.history import LEDGER

    check_written_before(output, HEAD)
    print_output(output, csv_text(read_courses(folder / LEDGER, 0)), force=True)


def _write_plot(folder: Path, output: Path) -> None:
    from vblkfuzz.cli.options.output_file import check_possible, check_suffix
    from vblkfuzz.cli.views.course_plot import FORMATS, plot
    from vblkfuzz.store.atomic import write_file
    from vblkfuzz.store.course import read_courses
    from vblkfuzz.store.history import LEDGER

    check_suffix(output, *FORMATS)
    check_possible(output)
    drawn = plot(read_courses(folder / LEDGER), str(folder), output.suffix)
    write_file(output, drawn)


def _object(folder: Path, history: History, running: bool) -> dict[str, Any]:
    from vblkfuzz.store.confidence import confidences
    from vblkfuzz.store.saved_findings import saved_findings

    return {
        "folder": str(folder),
        "running": running,
        "saved": len(saved_findings(folder)),
        "campaigns": [
            _campaign(one) | {"state": state} for one, state in _with_states(history, running)
        ],
        "total": {
            "campaigns": len(history.campaigns),
            "execs": history.execs,
            "seconds": round(history.seconds, 1),
        },
        "findings": {name: asdict(seen) for name, seen in history.sightings.items()},
        "confidence": {name: one.to_json() for name, one in confidences(folder).items()},
        "canaries": [asdict(one) for one in history.canaries],
        "unseen": history.unseen.to_json(),
        "tried": {depth: bound._asdict() for depth, bound in history.tried.items()},
        "never_met": _never_met(history),
    }


def _campaign(record: CampaignRecord) -> dict[str, Any]:
    return asdict(record) | {"unseen": record.unseen.to_json()}


def _print(folder: Path, history: History, running: bool) -> None:
    from vblkfuzz.cli.views.never_met import say_never_met
    from vblkfuzz.cli.views.rates import say_rates
    from vblkfuzz.cli.views.screen import Screen
    from vblkfuzz.cli.views.silence import say_silence
    from vblkfuzz.counted import counted
    from vblkfuzz.store.confidence import confidences
    from vblkfuzz.store.finding_place import signature_in
    from vblkfuzz.store.saved_findings import saved_findings

    screen = Screen()
    for record, state in _with_states(history, running):
        _print_campaign(screen, record, state)
        screen.say()
    if len(history.campaigns) > 1:
        campaigns, execs = len(history.campaigns), counted(history.execs, "execution")
        screen.say(f"{campaigns} campaigns: {execs} in {history.seconds:,.1f} s")
    saved = saved_findings(folder)
    screen.say(f"{counted(len(saved), 'finding')} in the folder: vblkfuzz triage {folder}")
    if gone := sorted(set(history.sightings) - {signature_in(one) for one in saved}):
        screen.wrapped(f"seen, but not in the folder: {', '.join(gone)}")
    if kept := confidences(folder):
        screen.say()
        say_rates(screen, kept)
    say_silence(screen, history.canaries, history.unseen, history.tried)
    if missed := _never_met(history):
        screen.say()
        say_never_met(screen, missed)


def _with_states(history: History, running: bool) -> list[tuple[CampaignRecord, str]]:
    """Return the campaigns, each with what has become of it."""
    last = len(history.campaigns) - 1
    return [
        (one, _state(one, running=running and place == last))
        for place, one in enumerate(history.campaigns)
    ]


def _state(record: CampaignRecord, *, running: bool) -> str:
    if record.restored:
        return "restored"
    if record.ended is None:
        return "running" if running else "killed"
    return "ended"


def _print_campaign(screen: Screen, record: CampaignRecord, state: str) -> None:
    from vblkfuzz.counted import counted

    screen.say(f"{record.started}  {state}{_how(record)}", "bold")
    if record.restored:
        on = ", ".join(filter(None, (record.target, record.device, record.mode)))
        screen.wrapped(on or "not known", label=f"  {'on':<9} ")
        screen.wrapped(_found(record), label=f"  {'found':<9} ")
        screen.wrapped("how long and how much it ran: the ledger was lost", label="  not known ")
        return
    facts = [
        ("on", ", ".join((record.target, record.device, record.mode, *_changes(record)))),
        ("with", f"{counted(record.workers, 'worker')}, seed {record.seed}"),
        ("so far", f"{record.execs:,} executions in {record.seconds:,.1f} s"),
        ("speed", f"{record.execs_per_s:,.0f} executions/s"),
        ("coverage", f"{record.features:,} features, {len(record.met)} situations met"),
        *([("device", f"{record.reach.words} reached")] if record.reach.words else []),
        ("found", _found(record)),
        ("bad", f"{record.violations:,} violating, {record.harness_errors:,} not judged"),
    ]
    for name, value in facts:
        screen.wrapped(value, label=f"  {name:<9} ")


def _found(record: CampaignRecord) -> str:
    """Return how many findings it saw, and how many of them no campaign had seen before."""
    from vblkfuzz.counted import counted

    count, new = len(set(record.findings)), len(record.new)
    return counted(count, "finding") + ("" if new == count else f", {new or 'none'} of them new")


def _changes(record: CampaignRecord) -> list[str]:
    """Return the options with which the campaign changed its inputs."""
    iothread = {True: ["--iothread"], False: ["--no-iothread"], None: []}[record.iothread]
    return [*iothread, *(f"--without {name}" for name in record.without)]


def _how(record: CampaignRecord) -> str:
    return f" {record.ended}, exit status {record.status}" if record.ended else ""


def _never_met(history: History) -> list[str]:
    from vblkfuzz.oracle.judge import RULES

    met = {name for record in history.campaigns for name in record.met}
    expected = {name for record in history.campaigns for name in record.expected}
    names = dict.fromkeys(one.name for rule in RULES for one in rule.situations)
    return [name for name in names if name not in met and (name in expected or not expected)]


VERB: Final = Verb(
    status,
    examples=(
        "vblkfuzz status vblkfuzz-out other-out",
        "vblkfuzz status --rebuild vblkfuzz-out",
    ),
)
