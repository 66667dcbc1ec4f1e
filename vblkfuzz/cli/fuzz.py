"""``vblkfuzz fuzz``: a campaign, with a live line on a terminal."""

from __future__ import annotations

import json
import os
import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vblkfuzz.cli.fuzz_view import FuzzView
from vblkfuzz.cli.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Callable

    from vblkfuzz.campaign.plan import Message
    from vblkfuzz.campaign.summary import Summary
    from vblkfuzz.errors import ExitStatus


def fuzz(  # noqa: PLR0913  # an option each
    target: Annotated[str, typer.Option(help="What to run scenarios on.")] = "model",
    device: Annotated[
        str, typer.Option(help="Revision, package.module:Class or file.py:Class.")
    ] = "seed",
    mode: Annotated[str, typer.Option(help="processes or inline.")] = "processes",
    workers: Annotated[int, typer.Option(min=0, help="0: one for each core.")] = 0,
    max_total_time: Annotated[float, typer.Option(min=0, help="Seconds; 0: until ctrl-C.")] = 0,
    runs: Annotated[int, typer.Option(min=0, help="Executions of all workers; 0: no limit.")] = 0,
    seed: Annotated[int, typer.Option(min=0, help="0: a random one.")] = 0,
    out: Annotated[Path, typer.Option(help="Output folder; an old one is continued.")] = Path(
        "vblkfuzz-out"
    ),
    corpus: Annotated[
        list[Path] | None, typer.Option(help="Folder of inputs to start from; repeatable.")
    ] = None,
    stop_on_first: Annotated[
        bool, typer.Option("--stop-on-first", help="End with the first finding.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One object per line on stdout.")] = False,
    libfuzzer: Annotated[
        list[str] | None, typer.Argument(help="After --: arguments for libFuzzer.")
    ] = None,
) -> None:
    """Fuzz a device until the budget is spent; save one finding for each kind of violation.

    Exit codes: 0 nothing found, 77 something found, 125 the harness could not judge or save
    everything, 130 stopped by ctrl-C, 72 by SIGTERM.
    """
    from vblkfuzz.campaign.orchestrator import Campaign, CampaignOptions
    from vblkfuzz.errors import UsageError
    from vblkfuzz.scenario.artifact import DEFAULT_TARGET
    from vblkfuzz.target.device_class import device_class
    from vblkfuzz.target.model import check_mode

    if target != DEFAULT_TARGET:
        raise UsageError(f"target {target}: campaigns run on {DEFAULT_TARGET}")
    check_mode(mode)
    device_class(device)
    options = CampaignOptions(
        out=out,
        device=device,
        mode=mode,
        workers=workers or len(os.sched_getaffinity(0)),
        seconds=max_total_time,
        runs=runs,
        seed=seed or secrets.randbelow(1 << 30) + 1,
        corpora=tuple(corpus or ()),
        stop_on_first=stop_on_first,
        libfuzzer=tuple(libfuzzer or ()),
    )
    with FuzzView(options) as view:
        campaign = Campaign(options, _announce(view, as_json=as_json), view.progress)
        status = campaign.run()
    _conclude(options.out, campaign.summary, status, as_json=as_json)
    raise typer.Exit(int(status))


def _announce(view: FuzzView, *, as_json: bool) -> Callable[[Message], None]:
    def announce(message: Message) -> None:
        view.announce(message)
        if as_json and message.kind == "finding":
            found = {"event": "finding", "signature": message.name, "rule": message.rule}
            print(json.dumps({**found, "path": message.path}), flush=True)

    return announce


def _conclude(out: Path, summary: Summary, status: ExitStatus, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(summary.to_json()), flush=True)
        return
    screen = Screen()
    screen.say(
        f"{summary.execs:,} executions in {summary.seconds:.1f} s ({summary.execs_per_s:,.0f}/s), "
        f"{summary.features:,} features, {summary.violations:,} violating, "
        f"{len(summary.findings)} findings"
    )
    if summary.findings:
        screen.say()
        screen.table(
            ("rule", "first", "finding"),
            [
                (finding.rule, f"{finding.first_s:.1f} s", finding.signature)
                for finding in summary.findings.values()
            ],
        )
        screen.say()
        best = next(iter(summary.findings.values()))
        screen.say(f"replay one with: vblkfuzz replay {best.path}/finding.vblk")
    if summary.missed:
        screen.say()
        screen.say(
            "Never met, so the silence of their rules means little: " + ", ".join(summary.missed)
        )
    for line in summary.fallbacks:
        print(f"vblkfuzz: {line}", file=sys.stderr)
    if summary.harness_errors or summary.restarts:
        print(
            f"vblkfuzz: {summary.harness_errors} executions without a verdict, "
            f"{summary.restarts} workers restarted; inputs are in {out / 'harness'}; "
            f"last: {summary.last_error.strip().splitlines()[-1] if summary.last_error else ''}",
            file=sys.stderr,
        )
