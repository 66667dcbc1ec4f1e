"""``vblkfuzz fuzz``: a campaign, with a live status line on a terminal."""

from __future__ import annotations

import json
import math
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

import typer

from vblkfuzz.cli.options import complete
from vblkfuzz.cli.options.target import takes_target_options
from vblkfuzz.cli.verb import Verb
from vblkfuzz.cli.views.complaint import say
from vblkfuzz.cli.views.fuzz import FuzzView
from vblkfuzz.cli.views.fuzz_summary import say_summary, say_trouble
from vblkfuzz.targets.options import TargetOptions
from vblkfuzz.trace.witness import MODEL as MODEL_WITNESSES
from vblkfuzz.trace.witness import Witness

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vblkfuzz.campaign.orchestrator import CampaignOptions
    from vblkfuzz.launch.plan import Message
    from vblkfuzz.store.summary import Summary

_Known = Annotated[
    list[Path] | None,
    typer.Option(help="File of signatures to count but not to report; repeatable."),
]
_Without = Annotated[
    list[str] | None,
    typer.Option(
        metavar="OP",
        autocompletion=complete.operations,
        help="Leave this operation out, with those that it ends (restore: with save); repeatable.",
    ),
]


@takes_target_options
def fuzz(  # noqa: PLR0913  # an option each
    target: Annotated[
        str,
        typer.Option(help="Target to run scenarios on.", autocompletion=complete.targets),
    ] = "model",
    device: Annotated[
        str | None,
        typer.Option(
            help="Revision, package.module:Class or file.py:Class.  [default: seed]",
            autocompletion=complete.devices,
        ),
    ] = None,
    defect: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Plant a defect in the revision; repeatable.",
            autocompletion=complete.defects,
        ),
    ] = None,
    mode: Annotated[str, typer.Option(help="processes or inline.")] = "processes",
    workers: Annotated[int, typer.Option(min=0, help="0: one for each core.")] = 0,
    max_total_time: Annotated[float, typer.Option(min=0, help="Seconds; 0: until ctrl-C.")] = 0,
    runs: Annotated[int, typer.Option(min=0, help="Executions of all workers; 0: no limit.")] = 0,
    seed: Annotated[int, typer.Option(min=0, help="0: a random one.")] = 0,
    out: Annotated[Path, typer.Option(help="Output folder; an existing one is continued.")] = Path(
        "vblkfuzz-out"
    ),
    corpus: Annotated[
        list[Path] | None, typer.Option(help="Folder of inputs to start from; repeatable.")
    ] = None,
    known: _Known = None,
    without: _Without = None,
    stop_on_first: Annotated[
        bool, typer.Option("--stop-on-first", help="End with the first finding.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One object per line on stdout.")] = False,
    libfuzzer: Annotated[
        list[str] | None, typer.Argument(help="After --: arguments for libFuzzer.")
    ] = None,
    *,
    target_options: TargetOptions,
) -> None:
    """Fuzz a device until the budget is spent; save one finding for each kind of violation.

    Exit codes: 0 nothing found, 77 violation found, 70 an input hung, 125 an input could not be
    judged or a finding not saved, 130 stopped by ctrl-C, 72 stopped by SIGTERM.
    """
    from vblkfuzz.campaign.engine import check_engine
    from vblkfuzz.campaign.orchestrator import Campaign, CampaignOptions
    from vblkfuzz.errors import UsageError
    from vblkfuzz.store.known_file import read_known

    check_engine()
    if not math.isfinite(max_total_time):
        raise UsageError("--max-total-time: expected seconds; 0 means no limit")
    checked = _check(target, device, tuple(defect or ()), mode, target_options)
    options = CampaignOptions(
        out=out,
        target=target,
        target_options=target_options,
        device=checked.device,
        witnesses=checked.witnesses,
        mode=mode,
        workers=workers or len(os.sched_getaffinity(0)),
        seconds=max_total_time,
        runs=runs,
        seed=seed or secrets.randbelow(1 << 30) + 1,
        corpora=tuple(corpus or ()),
        stop_on_first=stop_on_first,
        listed=_listed(target, checked.device),
        silenced=tuple(pattern for path in known or () for pattern in read_known(path)),
        without=_operations(without or ()),
        libfuzzer=tuple(libfuzzer or ()),
    )
    with FuzzView(options) as view:
        campaign = Campaign(options, _announce(view, as_json=as_json), view.progress)
        status = campaign.run()
    _say(campaign.summary, options, as_json=as_json)
    raise typer.Exit(int(status))


class Checked(NamedTuple):
    """What a campaign runs on; it has been checked to start."""

    device: str
    """Name of the device, with defects."""
    witnesses: Witness


def _check(
    target: str, device: str | None, defects: tuple[str, ...], mode: str, options: TargetOptions
) -> Checked:
    """Check, before workers start, that the device exists and starts; return its full name.

    Raises:
        UsageError: there is no such target, device, defect or mode.
        HarnessError: a real device does not start.
    """
    from vblkfuzz.errors import UsageError
    from vblkfuzz.targets.device_class import defective, device_class
    from vblkfuzz.targets.model import check_mode
    from vblkfuzz.targets.registry import MODEL, default_device, open_target

    name = device or default_device(target)
    if target == MODEL:
        check_mode(mode)
        name = defective(name, defects)
        device_class(name)
        return Checked(name, MODEL_WITNESSES)
    if defects:
        raise UsageError(f"--defect: defects are planted in the {MODEL} only")
    with open_target(target, name, mode, options) as started:
        return Checked(name, getattr(started, "witnesses", MODEL_WITNESSES))


def _operations(names: Sequence[str]) -> tuple[str, ...]:
    """Return names of operations, checked, with those that cannot stay without them.

    Raises:
        UsageError: there is no such operation.
    """
    from vblkfuzz.campaign.left_out import begun_by
    from vblkfuzz.errors import UsageError
    from vblkfuzz.scenario.alphabet.ops import CODES

    for name in names:
        if name not in CODES:
            raise UsageError(f"--without: no operation {name!r}; all of them: vblkfuzz list ops")
    more = begun_by(names)
    for name, end in more.items():
        say(f"--without {end}: leaves out {name} too, which {end} would end")
    return (*names, *more)


def _listed(target: str, device: str) -> tuple[tuple[str, str], ...]:
    """Return the known bugs of a device of the model; a real device has no such list."""
    from vblkfuzz.targets.device_class import device_class
    from vblkfuzz.targets.registry import MODEL

    return tuple(device_class(device).known.items()) if target == MODEL else ()


def _say(summary: Summary, options: CampaignOptions, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(summary.to_json()), flush=True)
    else:
        say_summary(summary, options.target, options.device, options.target_options)
    say_trouble(options.out, summary)


def _announce(view: FuzzView, *, as_json: bool) -> Callable[[Message], None]:
    def announce(message: Message) -> None:
        view.announce(message)
        if as_json and message.kind == "finding":
            found = {"event": "finding", "signature": message.name, "rule": message.rule}
            found |= {"path": message.path, "known": message.known}
            print(json.dumps(found), flush=True)

    return announce


VERB: Final = Verb(
    fuzz,
    examples=(
        "vblkfuzz fuzz --max-total-time 60",
        "vblkfuzz fuzz --device reference --workers 1 --runs 10000 --seed 7 --json",
    ),
    summary="Run a campaign and save what it finds.",
)
