"""``vblkfuzz bench``: speed, its parts, and time to detection of planted bugs."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Annotated, Final

import typer

from vblkfuzz.cli.options import complete
from vblkfuzz.cli.options.budget import span
from vblkfuzz.cli.options.target import takes_target_options
from vblkfuzz.cli.verb import Verb
from vblkfuzz.cli.views.screen import Screen
from vblkfuzz.errors import HarnessError
from vblkfuzz.targets.options import TargetOptions

if TYPE_CHECKING:
    from vblkfuzz.bench.detection import Median


def bench() -> None:
    """Measure speed, and time to detection of planted bugs."""


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
    """Measure scenarios with a drained section per second, in one real QEMU process.

    Runs with guest process, witnesses and all oracles. A bare loop of the same operations is
    measured for comparison.
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


def detection(
    defect: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Planted bug to look for; repeatable.  [default: three]",
            autocompletion=complete.defects,
        ),
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, metavar="N", help="Campaigns of each search.")] = 5,
    max_total_time: Annotated[
        float,
        typer.Option(
            parser=span("--max-total-time"),
            metavar="TIME",
            help="Seconds of each campaign, or 8m.",
        ),
    ] = 30,
    as_json: Annotated[bool, typer.Option("--json", help="One object on stdout.")] = False,
) -> None:
    """Measure executions and seconds until planted bugs are found, with and without feedback.

    Runs campaigns of one worker, inline, from an empty corpus, one after another. Prints medians
    over the seeds; a campaign that finds nothing counts as longer than any other.
    """
    from vblkfuzz.bench.detection import DEFECTS, SEARCHES, detections, medians
    from vblkfuzz.cli.views.bench import watched
    from vblkfuzz.targets.device_class import defective

    names = tuple(defect or DEFECTS)
    for name in names:
        defective("reference", (name,))  # report an unknown name before the first campaign
    campaigns = detections(names, seeds, max_total_time)
    found = medians(list(watched(campaigns, len(names) * len(SEARCHES) * seeds)))
    if as_json:
        print(json.dumps({"detections": [row._asdict() for row in found], "seeds": seeds}))
    else:
        Screen().table(("bug", "search", "found", "executions", "seconds"), _detected(found))


def _detected(found: list[Median]) -> list[tuple[str, ...]]:
    return [
        (
            row.defect,
            row.search,
            f"{row.found}/{row.seeds}",
            "-" if row.execs is None else f"{row.execs:,.0f}",
            "-" if row.seconds is None else f"{row.seconds:,.1f}",
        )
        for row in found
    ]


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
            detection,
            examples=(
                "vblkfuzz bench detection",
                "vblkfuzz bench detection --defect wakes_one --seeds 10 --json",
            ),
            summary="Time until planted bugs are found, with and without feedback.",
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
