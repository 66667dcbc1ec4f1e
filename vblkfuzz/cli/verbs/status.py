"""`vblkfuzz status`: the progress of the campaigns of an output folder."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from vblkfuzz.cli.verb import Verb

if TYPE_CHECKING:
    from vblkfuzz.cli.views.screen import Screen
    from vblkfuzz.store.history import CampaignRecord, History


def status(
    folder: Annotated[
        Path,
        typer.Argument(metavar="DIR", help="The output folder of a campaign.", show_default=False),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Show the progress of a campaign, running or ended.

    Reads the ledger (campaign.sqlite), which a running campaign writes every few seconds.
    """
    from vblkfuzz.store.folder import is_claimed
    from vblkfuzz.store.history import LEDGER, read_history

    history = read_history(folder / LEDGER)
    running = is_claimed(folder)
    if as_json:
        print(json.dumps(_object(folder, history, running)))
    else:
        _print(folder, history, running)


def _object(folder: Path, history: History, running: bool) -> dict[str, Any]:
    return {
        "folder": str(folder),
        "running": running,
        "campaigns": [asdict(one) for one in history.campaigns],
        "findings": {name: asdict(seen) for name, seen in history.sightings.items()},
        "never_met": _never_met(history),
    }


def _print(folder: Path, history: History, running: bool) -> None:
    from vblkfuzz.cli.views.screen import Screen
    from vblkfuzz.triage.story import counted

    screen = Screen()
    for place, record in enumerate(history.campaigns, 1):
        last = place == len(history.campaigns)
        _print_campaign(screen, record, running=running and last)
        screen.say()
    screen.say(f"{counted(len(history.sightings), 'finding')}: vblkfuzz triage {folder}")
    if missed := _never_met(history):
        screen.wrapped(f"never met, so their rules were hardly tested: {', '.join(missed)}")


def _print_campaign(screen: Screen, record: CampaignRecord, *, running: bool) -> None:
    from vblkfuzz.triage.story import counted

    state = "running" if running else "ended"
    screen.say(f"{record.started}  {state}", "bold")
    facts = [
        ("on", f"{record.target}, {record.device}, {record.mode}"),
        ("with", f"{counted(record.workers, 'worker')}, seed {record.seed}"),
        ("so far", f"{record.execs:,} executions in {record.seconds:,.1f} s"),
        ("speed", f"{record.execs_per_s:,.0f} executions/s"),
        ("coverage", f"{record.features:,} features, {len(record.met)} situations met"),
        ("bad", f"{record.violations:,} violating, {record.harness_errors:,} not judged"),
    ]
    for name, value in facts:
        screen.wrapped(value, label=f"  {name:<9} ")


def _never_met(history: History) -> list[str]:
    from vblkfuzz.oracle.judge import RULES

    met = {name for record in history.campaigns for name in record.met}
    return [one.name for rule in RULES for one in rule.situations if one.name not in met]


VERB: Final = Verb(
    status,
    examples=(
        "vblkfuzz status vblkfuzz-out",
        "vblkfuzz status vblkfuzz-out --json",
    ),
)
