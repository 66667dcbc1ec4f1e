"""``vblkfuzz bench``: speed, its parts, and time to detection."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from vblkfuzz.cli.options import complete
from vblkfuzz.cli.options.budget import span
from vblkfuzz.cli.options.target import takes_target_options
from vblkfuzz.cli.verb import Verb
from vblkfuzz.cli.views.screen import Screen
from vblkfuzz.errors import HarnessError, UsageError
from vblkfuzz.targets.options import TargetOptions

_RUNS: Final = 20_000
"""Executions of a trial of `bench detect`."""
_SHORT_RUNS: Final = 300
"""The same with ``--short``."""

_Defects = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME",
        help="Planted bug, or 'all'; repeatable.  [default: all; none with --device]",
        autocompletion=complete.defects,
    ),
]
_Devices = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME",
        help="Device with a bug to look for: a revision, module:Class or file.py:Class; "
        "repeatable.",
        autocompletion=complete.devices,
    ),
]
_Searches = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME",
        help="Search to run; repeatable.  [default: all]",
        autocompletion=complete.searches,
    ),
]
_Runs = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", help="Executions of a trial.  [default: 20000]"),
]
_Seconds = Annotated[
    float,
    typer.Option(
        parser=span("--max-total-time"),
        metavar="TIME",
        help="Seconds of a trial at most, or 8m.",
    ),
]
_Jobs = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", help="Trials at a time.  [default: usable cores]"),
]


def bench() -> None:
    """Measure speed, and how soon searches find bugs."""


def core(
    rounds: Annotated[int, typer.Option(min=1, help="Measurements of each figure.")] = 40,
    as_json: Annotated[bool, typer.Option("--json", help="One object on stdout.")] = False,
) -> None:
    """Measure executions per second and core, inline and in processes, and the cost of hand-overs.

    Runs eight fixed scenarios of 20 to 30 operations, with coverage and all oracles on.
    """
    run = subprocess.run(
        [sys.executable, "-m", "vblkfuzz.bench.core", str(rounds)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        check=False,
    )
    if run.returncode:
        raise HarnessError(f"the benchmark ended with exit status {run.returncode}")
    figures: dict[str, float] = json.loads(run.stdout)
    if as_json:
        print(json.dumps(figures))
        return
    _show(figures)


@takes_target_options
def qemu(
    rounds: Annotated[int, typer.Option(min=1, help="Measurements of each figure.")] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="One object on stdout.")] = False,
    *,
    target_options: TargetOptions,
) -> None:
    """Measure scenarios with a drained section per second, on a real QEMU.

    Runs with guest process, witnesses and all oracles, in one QEMU; then in one for each usable
    core, as a campaign has them, and in one with its threads one at a time. A bare loop of the same
    operations is measured for comparison.
    """
    from vblkfuzz.bench.qemu import measure

    _show_real(measure(rounds, target_options), "windows", "drained sections, one QEMU", as_json)


@takes_target_options
def qsd(
    rounds: Annotated[int, typer.Option(min=1, help="Measurements of each figure.")] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="One object on stdout.")] = False,
    *,
    target_options: TargetOptions,
) -> None:
    """Measure vhost-user sessions per second, on one real qemu-storage-daemon.

    Runs with guest process, witnesses and all oracles. A bare loop of the same operations is
    measured for comparison.
    """
    from vblkfuzz.bench.qsd import measure

    _show_real(measure(rounds, target_options), "sessions", "sessions, one daemon", as_json)


def detect(  # noqa: PLR0913  # each is an option
    defect: _Defects = None,
    device: _Devices = None,
    search: _Searches = None,
    trials: Annotated[
        int, typer.Option(min=1, metavar="N", help="Trials of each search, with seeds 1 to N.")
    ] = 10,
    runs: _Runs = None,
    max_total_time: _Seconds = 300,
    jobs: _Jobs = None,
    short: Annotated[
        bool, typer.Option("--short", help="Four bugs, 300 executions: a few minutes on two cores.")
    ] = False,
    results: Annotated[
        Path,
        typer.Option(metavar="FILE", help="JSON lines; trials that it has are not run again."),
    ] = Path("vblkfuzz-bench/detect.jsonl"),
    report_only: Annotated[
        bool, typer.Option("--report-only", help="Run nothing: report the results that there are.")
    ] = False,
    write: Annotated[
        Path | None,
        typer.Option(metavar="PAGE.md", help="Write the report as a page, with curves beside it."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One object on stdout.")] = False,
) -> None:
    """Compare how soon searches find bugs: the default one, and what one could use instead.

    A trial is one search for one bug with one seed, inline, from nothing, until the first finding
    or its limit. Needs the extra bench: pip install 'vblkfuzz[bench]'.
    """
    from vblkfuzz.bench.detect import SHORT, Plan, check, run_missing
    from vblkfuzz.bench.report import rows_of
    from vblkfuzz.bench.results import Results, read_results, setup_of
    from vblkfuzz.bench.searches.search import Budget
    from vblkfuzz.cli.options.compared import devices_of, searches_of
    from vblkfuzz.cli.options.stop import at_once
    from vblkfuzz.cli.views.bench import as_object, show, watch
    from vblkfuzz.cli.views.bench_page import check_page, write_page
    from vblkfuzz.process.usable_cores import usable_cores

    if write:
        check_page(write)
    searches = () if report_only else searches_of(search)
    check(searches, drawn=write is not None)
    if not report_only:
        devices = devices_of(defect, device, SHORT if short else ())
        budget = Budget(runs or (_SHORT_RUNS if short else _RUNS), max_total_time)
        plan = Plan(devices, searches, trials, budget, jobs or usable_cores())
        with at_once(), Results(results, setup_of(budget)) as file:
            watch(run_missing(plan, file))
    setup, ended = read_results(results)
    if not ended:
        raise UsageError(f"{results}: no trial has ended yet")
    if write:
        write_page(write, setup, ended)
    rows = rows_of(ended)
    if as_json:
        print(json.dumps(as_object(setup, rows)))
    else:
        show(rows)


def _show_real(figures: dict[str, float], unit: str, what: str, as_json: bool) -> None:
    """Show the rate of a real target beside that of its bare loop."""
    if as_json:
        print(json.dumps(figures))
        return
    rows = [
        (what, f"{figures[f'{unit}_per_s']:,.0f}/s", "all oracles"),
        ("bare loop", f"{figures[f'bare_{unit}_per_s']:,.0f}/s", "no guest process, no oracles"),
        ("ratio", f"{figures['ratio']:.2f}", "of the bare loop"),
    ]
    if f"all_{unit}_per_s" in figures:
        rate = f"{figures[f'all_{unit}_per_s']:,.0f}/s"
        rows.append(("one QEMU a core", rate, f"{figures['all_ratio']:.2f} of the first"))
    if f"serial_{unit}_per_s" in figures:
        rate = f"{figures[f'serial_{unit}_per_s']:,.0f}/s"
        rows.append(("one thread at a time", rate, f"{figures['serial_ratio']:.2f} of the first"))
    Screen().table(("what", "figure", "of what"), rows)


def _show(figures: dict[str, float]) -> None:
    screen = Screen()
    rows = [
        ("inline", f"{figures['inline_execs_per_s']:,.0f} executions/s", "one core"),
        ("processes", f"{figures['processes_execs_per_s']:,.0f} executions/s", "one core"),
        ("hand-over overhead", f"{figures['handover_overhead']:.2f}", "x a bare semaphore's"),
        ("hand-over", f"{figures['handover_us']:.2f} us", "two bare semaphores, there and back"),
        ("hand-overs", f"{figures['handovers']:.1f}", "an execution in processes"),
        ("events", f"{figures['events']:.1f}", "an execution"),
        *(
            (f"  {name}", f"{figures[f'{name}_us']:.0f} us", "of an inline execution")
            for name in ("decode", "run", "judge", "features")
        ),
    ]
    screen.table(("what", "figure", "of what"), rows)


VERB: Final = Verb(
    bench,
    examples=(
        "vblkfuzz bench core",
        "vblkfuzz bench core --json",
    ),
    verbs=(
        Verb(
            core,
            examples=(
                "vblkfuzz bench core",
                "vblkfuzz bench core --rounds 100 --json",
            ),
            summary="Executions per second, inline and in processes.",
        ),
        Verb(
            detect,
            examples=(
                "vblkfuzz bench detect --short",
                "vblkfuzz bench detect --device my_device.py:MyDevice --write found/page.md",
            ),
            summary="How soon searches find bugs, the default one against others.",
        ),
        Verb(
            qemu,
            examples=(
                "vblkfuzz bench qemu",
                "vblkfuzz bench qemu --no-iothread --json",
            ),
            summary="Drained sections per second, in one real QEMU.",
        ),
        Verb(
            qsd,
            examples=(
                "vblkfuzz bench qsd",
                "vblkfuzz bench qsd --no-iothread --json",
            ),
            summary="Sessions per second, on one real storage daemon.",
        ),
    ),
)
