"""``vblkfuzz fuzz``: a campaign, with a live status line on a terminal."""

from __future__ import annotations

import time
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from vblkfuzz.cli.options import complete
from vblkfuzz.cli.options.budget import span
from vblkfuzz.cli.options.campaign import (
    ACoverage,
    RingForm,
    check_device,
    coverage_of,
    fields_of,
    number_of_workers,
    schedulers_of,
    seed_of,
    silenced_by,
)
from vblkfuzz.cli.options.inputs import ADevice, AnotherDefects, ATarget
from vblkfuzz.cli.options.libfuzzer_flags import from_libfuzzer
from vblkfuzz.cli.options.target import takes_target_options
from vblkfuzz.cli.standard_streams import results_said
from vblkfuzz.cli.verb import Verb
from vblkfuzz.cli.views.complaint import say
from vblkfuzz.cli.views.fuzz import FuzzView
from vblkfuzz.cli.views.fuzz_json import FuzzJson
from vblkfuzz.cli.views.fuzz_summary import say_summary, say_trouble
from vblkfuzz.targets.options import TargetOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from vblkfuzz.campaign.finding_hook import FindingHook
    from vblkfuzz.campaign.options import CampaignOptions
    from vblkfuzz.errors import ExitStatus
    from vblkfuzz.launch.plan import Message
    from vblkfuzz.store.summary import Summary

_Known = Annotated[
    list[Path] | None,
    typer.Option(metavar="FILE", help="File of signatures to count but not to report; repeatable."),
]
_Seconds = Annotated[
    float,
    typer.Option(
        parser=span("--max-total-time", zero="no limit"),
        metavar="TIME",
        help="Seconds from the start, or 8m; start-up counts. 0: until ctrl-C.",
    ),
]
_OtherDevice = Annotated[
    bool, typer.Option("--other-device", help="Go on in a folder of another device or target.")
]
_Without = Annotated[
    list[str] | None,
    typer.Option(
        metavar="OP",
        autocompletion=complete.operations,
        help="Leave this operation out, with those that it ends (restore: with save); repeatable.",
    ),
]

_Schedulers = Annotated[
    str,
    typer.Option(
        metavar="NAME[:SHARE],...",
        show_default="shares that suit most devices",
        help="Schedulers (vblkfuzz list schedulers), each with its share of new inputs.",
    ),
]

_RingForm = Annotated[
    RingForm | None,
    typer.Option(
        show_default="split, or as in the corpus", help="Form of the rings in all new inputs."
    ),
]

_InOrder = Annotated[
    bool,
    typer.Option(
        "--in-order", help="All new inputs have a device with VIRTIO_F_IN_ORDER, if it can."
    ),
]

_Store = Annotated[
    str,
    typer.Option(
        metavar="DIR|URL",
        show_default=False,
        help="Exchange inputs and findings with other nodes in this store.",
    ),
]
_Out = Annotated[
    Path, typer.Option(metavar="DIR", help="Output folder; an existing one is continued.")
]
_Corpora = Annotated[
    list[Path] | None,
    typer.Option(metavar="DIR", help="Folder of inputs to start from; repeatable."),
]
_MetricsPort = Annotated[
    int,
    typer.Option(
        min=0,
        max=65535,
        show_default=False,
        metavar="PORT",
        help="Serve figures for Prometheus on this port of loopback.",
    ),
]
_OnFinding = Annotated[
    str,
    typer.Option(
        metavar="COMMAND",
        show_default=False,
        help="Run this for each new finding; VBLKFUZZ_SIGNATURE and others tell it which.",
    ),
]
_StopOnFirst = Annotated[
    bool, typer.Option("--stop-on-first", help="End with the first new finding.")
]
_NoMinimize = Annotated[
    bool, typer.Option("--no-minimize", help="Leave findings as large as they were found.")
]
_LibFuzzer = Annotated[list[str] | None, typer.Argument(help="After --: arguments for libFuzzer.")]


@takes_target_options
def fuzz(  # noqa: PLR0913  # an option each
    target: ATarget = "model",
    device: ADevice = None,
    defect: AnotherDefects = None,
    mode: Annotated[str, typer.Option(help="processes or inline.")] = "processes",
    workers: Annotated[int, typer.Option(min=0, help="0: one for each core.")] = 0,
    max_total_time: _Seconds = 0,
    runs: Annotated[int, typer.Option(min=0, help="Executions of all workers; 0: no limit.")] = 0,
    seed: Annotated[int, typer.Option(min=0, help="Of the mutations; 0: a random one.")] = 0,
    out: _Out = Path("vblkfuzz-out"),
    corpus: _Corpora = None,
    store: _Store = "",
    known: _Known = None,
    without: _Without = None,
    schedulers: _Schedulers = "",
    ring: _RingForm = None,
    in_order: _InOrder = False,
    coverage: ACoverage = None,
    other_device: _OtherDevice = False,
    stop_on_first: _StopOnFirst = False,
    no_minimize: _NoMinimize = False,
    on_finding: _OnFinding = "",
    metrics_port: _MetricsPort = 0,
    as_json: Annotated[bool, typer.Option("--json", help="One object per line on stdout.")] = False,
    libfuzzer: _LibFuzzer = None,
    *,
    target_options: TargetOptions,
) -> None:
    """Fuzz a device until the budget is spent; save one finding for each kind of violation.

    Some flags of libFuzzer are options too, like -runs=1000 and -jobs=2.

    --on-finding runs a shell command for each new finding, one at a time, for a minute at most, and
    for 5 s when the campaign ends. Its environment has VBLKFUZZ_SIGNATURE, _RULE, _SENTENCE and
    _PATH (of the folder); what it prints is in log/on-finding.txt. A failure is said, no more.

    Exit codes: 0 nothing new found, 77 new violation found, 70 an input hung, 125 an
    input could not be judged or a finding not saved, 130 stopped by ctrl-C, 72
    stopped by SIGTERM or SIGHUP. A worker that was killed and started again changes none of them.
    """
    began = time.monotonic()  # the imports are part of the time
    from vblkfuzz.campaign.options import CampaignOptions

    checked = check_device(target, device, tuple(defect or ()), mode, target_options)
    options = CampaignOptions(
        out=out,
        target=target,
        target_options=target_options,
        device=checked.device,
        witnesses=checked.witnesses,
        mode=mode,
        workers=number_of_workers(workers),
        seconds=max_total_time,
        runs=runs,
        seed=seed_of(seed),
        corpora=tuple(corpus or ()),
        store=store,
        stop_on_first=stop_on_first,
        listed=checked.listed,
        silenced=silenced_by(known),
        without=_operations(without or ()),
        schedulers=schedulers_of(schedulers),
        fields=fields_of(target, ring, in_order=in_order),
        coverage=coverage_of(target, coverage),
        libfuzzer=tuple(libfuzzer or ()),
        other_device=other_device,
        minimize=not no_minimize,
    )
    raise typer.Exit(int(_run(options, began, on_finding, metrics_port, as_json=as_json)))


def _run(
    options: CampaignOptions, began: float, hook: str, port: int, *, as_json: bool
) -> ExitStatus:
    """Run a campaign and show it; return its exit status."""
    from vblkfuzz.campaign.finding_hook import FindingHook
    from vblkfuzz.campaign.orchestrator import Campaign
    from vblkfuzz.launch.plan import Message

    _warn(options.workers)
    lines = FuzzJson(options) if as_json else None
    with (
        FuzzView(options) as view,
        FindingHook(
            hook, options.out, lambda said: view.announce(Message("warning", said))
        ) as hooked,
        _metrics(port) as note,
    ):
        campaign = Campaign(options, *_shown(view, lines, hooked, note), began)
        status = campaign.run()
    summary = campaign.summary
    with results_said(campaign.note_status):
        try:
            if not lines:
                setup = (options.target, options.device, options.target_options, options.out)
                say_summary(summary, *setup)
        finally:  # stdout may be lost
            say_trouble(options.out, summary)
        if lines:
            lines.end(summary, status)
    return status


def _operations(names: Sequence[str]) -> tuple[str, ...]:
    """Return names of operations, checked, with those that cannot stay without them.

    Raises:
        UsageError: there is no such operation.
    """
    from vblkfuzz.campaign.left_out import begun_by
    from vblkfuzz.errors import UsageError
    from vblkfuzz.scenario.alphabet.ops import CODES
    from vblkfuzz.suggestion import did_you_mean

    for name in names:
        if name not in CODES:
            meant = did_you_mean(name, CODES)
            raise UsageError(
                f"--without: no operation {name!r}; all of them: vblkfuzz list ops{meant}"
            )
    more = begun_by(names)
    for name, end in more.items():
        say(f"--without {end}: leaves out {name} too, which {end} would end")
    return (*names, *more)


def _warn(workers: int) -> None:
    from vblkfuzz.counted import counted

    cores = number_of_workers(0)
    if workers > cores:
        say(f"--workers {workers}: on {counted(cores, 'core')} they slow each other down")


@contextmanager
def _metrics(port: int) -> Iterator[Callable[[Summary], None] | None]:
    """Yield what a campaign calls with its figures; None: nobody is to have them.

    Raises:
        UsageError: the library is not installed, or the port cannot be used.
    """
    from vblkfuzz.errors import UsageError

    if not port:
        yield None
        return
    if find_spec("prometheus_client") is None:
        raise UsageError("--metrics-port needs prometheus_client: pip install 'vblkfuzz[web]'")
    from vblkfuzz.web.metrics import Metrics

    with Metrics(port) as metrics:
        yield metrics.note


def _shown(
    view: FuzzView,
    lines: FuzzJson | None,
    hook: FindingHook,
    note: Callable[[Summary], None] | None,
) -> tuple[Callable[[Message], None], Callable[[Summary], None]]:
    """Return what a campaign calls with its messages and with its progress."""

    def announce(message: Message) -> None:
        view.announce(message)
        if lines:
            lines.announce(message)
        hook.note(message)

    def progress(summary: Summary) -> None:
        view.progress(summary)
        if lines:
            lines.progress(summary)
        hook.turn()
        if note:
            note(summary)

    return announce, progress


VERB: Final = Verb(
    fuzz,
    examples=(
        "vblkfuzz fuzz --max-total-time 60",
        "vblkfuzz fuzz --device reference --workers 1 --runs 10000 --seed 7 --json",
    ),
    summary="Run a campaign and save what it finds.",
    rewrite=from_libfuzzer,
)
