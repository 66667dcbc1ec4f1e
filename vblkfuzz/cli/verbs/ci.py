"""`vblkfuzz ci`: one job of continuous integration: a corpus, then a campaign, then reports."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from vblkfuzz.cli.options.budget import span
from vblkfuzz.cli.options.campaign import (
    ACoverage,
    check_device,
    coverage_of,
    number_of_workers,
    seed_of,
    silenced_by,
)
from vblkfuzz.cli.options.inputs import ADevice, AnotherDefects, ATarget, Mode, RunMode
from vblkfuzz.cli.options.target import takes_target_options
from vblkfuzz.cli.standard_streams import results_said
from vblkfuzz.cli.verb import Verb
from vblkfuzz.cli.views.complaint import say, say_error
from vblkfuzz.errors import ExitStatus, InputFileError, UsageError
from vblkfuzz.targets.options import TargetOptions

if TYPE_CHECKING:
    from vblkfuzz.campaign.job import Job

_Budget = Annotated[
    float,
    typer.Option(
        parser=span("--budget"),
        metavar="TIME",
        show_default=False,
        help="8m, 90s, 1h30m, or seconds.  [default: 8m]",
    ),
]
_BEFORE_REPORTS: Final = (ExitStatus.USER_STOP, ExitStatus.INTERRUPTED, ExitStatus.VIOLATION)
"""Exit statuses that a report which cannot be written does not change."""
_Corpus = Annotated[
    list[Path] | None,
    typer.Option(metavar="DIR", help="Inputs to run first and to start from; repeatable."),
]
_Device = Annotated[
    str | None,
    typer.Option(
        metavar="DEVICE",
        help="Revision, package.module:Class or file.py:Class.  [default: as in fuzz]",
    ),
]
_Known = Annotated[
    list[Path] | None,
    typer.Option(metavar="FILE", help="Signatures that do not count; repeatable."),
]
_Report = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Write this report; an older one is replaced."),
]
_Tap = Annotated[bool, typer.Option("--tap", help="Nothing but TAP on stdout, for meson test.")]


@takes_target_options
def ci(  # noqa: PLR0913  # an option each
    budget: _Budget = 480,
    corpus: _Corpus = None,
    target: ATarget = "model",
    device: ADevice = None,
    defect: AnotherDefects = None,
    mode: RunMode = Mode.PROCESSES,
    known: _Known = None,
    coverage: ACoverage = None,
    junit: _Report = None,
    sarif: _Report = None,
    tap: _Tap = False,
    workers: Annotated[int, typer.Option(min=0, help="0: one for each core.")] = 0,
    runs: Annotated[int, typer.Option(min=0, help="Executions at most; 0: no limit.")] = 0,
    seed: Annotated[int, typer.Option(min=0, help="0: a random one.")] = 0,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Output folder of the campaign.")] = Path(
        "vblkfuzz-out"
    ),
    *,
    target_options: TargetOptions,
) -> None:
    """Run a corpus, then a campaign; write the results as tests.

    Each input of the corpus is a test: it fails if the device breaks a rule, whatever the input
    expects. For the rest of the budget a campaign runs, which starts from the corpus. Each
    finding is a failed test, and the campaign is a test. Inputs for which no time is left are
    skipped. The budget is that of the whole job: fuzzing ends an eighth before it, or 30 seconds
    if that is less, so that the findings can be minimized and run again.

    Exit code: 130 or 72 stopped; else 77 a test failed; else 125 an input could not be read or
    judged, a report not written, or nothing was tested; else 70 an input hung; else 0.
    """
    began = time.monotonic()  # the imports are part of the budget
    from vblkfuzz.campaign.job import Job
    from vblkfuzz.campaign.options import CampaignOptions

    _check_reports(junit, sarif)
    files = [file for folder in corpus or () for file in _files_in(folder)]
    checked = check_device(target, device, tuple(defect or ()), mode, target_options)
    job = Job(
        CampaignOptions(
            out=out,
            target=target,
            target_options=target_options,
            device=checked.device,
            witnesses=checked.witnesses,
            mode=mode,
            workers=number_of_workers(workers),
            seconds=budget,
            runs=runs,
            seed=seed_of(seed),
            corpora=tuple(corpus or ()),
            listed=checked.listed,
            silenced=silenced_by(known),
            coverage=coverage_of(target, coverage),
        ),
        began=began,
    )
    _run(job, files)
    with results_said(job.note_status):
        _say(job, tap=tap)
        written = _write(job, junit, sarif)
    status = job.exit_status
    # What was found counts for more than a report, which counts for more than inputs that hung.
    if not written and status not in _BEFORE_REPORTS:
        status = ExitStatus.HARNESS
    job.note_status(status)
    raise typer.Exit(int(status))


def _check_reports(*reports: Path | None) -> None:
    from vblkfuzz.cli.options.output_file import check_possible

    for report in reports:
        if report:
            check_possible(report)


def _files_in(folder: Path) -> list[str]:
    """Return the inputs in a folder.

    Raises:
        InputFileError: there are none.
    """
    from vblkfuzz.triage.inputs import input_files

    if not folder.is_dir():
        raise InputFileError(str(folder), "", "expected a folder of inputs, found none")
    return input_files(str(folder))


def _run(job: Job, files: list[str]) -> None:
    from vblkfuzz.cli.options.stop import Stop
    from vblkfuzz.cli.views.fuzz import FuzzView
    from vblkfuzz.counted import counted

    if files:
        say(f"running {counted(len(files), 'input')} of the corpus")
    with Stop() as stop:
        job.run_corpus(files, lambda: stop.status)
    with FuzzView(job.options) as view:
        job.fuzz(view.announce, view.progress)


def _write(job: Job, junit: Path | None, sarif: Path | None) -> bool:
    """Write the reports; return False, after a line about it, if one cannot be written."""
    from vblkfuzz.export.junit import junit_text
    from vblkfuzz.export.sarif import sarif_text

    written = [_written(junit, junit_text(job.tests))] if junit else []
    written += [_written(sarif, sarif_text(job.shown))] if sarif else []
    return all(written)


def _written(report: Path, text: str) -> bool:
    from vblkfuzz.cli.options.output_file import print_output

    try:
        print_output(report, text, force=True)
    except UsageError as error:
        say_error(error)
        return False
    return True


def _say(job: Job, *, tap: bool) -> None:
    from vblkfuzz.cli.views.ci import say_tests
    from vblkfuzz.cli.views.fuzz_summary import say_summary, say_trouble
    from vblkfuzz.export.tap import tap_text

    options, summary = job.options, job.summary
    if tap:
        print(tap_text(job.tests), end="", flush=True)
    else:
        if summary:
            setup = (options.target, options.device, options.target_options, options.out)
            say_summary(summary, *setup)
        say_tests(job.tests)
    if summary:
        say_trouble(options.out, summary)
    if not (summary or job.tested or job.stopped):
        say(f"nothing was tested, {job.why_cut}: give more --budget")
    if job.overrun:
        say(job.overrun)


VERB: Final = Verb(
    ci,
    examples=(
        "vblkfuzz ci --budget 8m --corpus corpus --junit vblkfuzz.xml",
        "vblkfuzz ci --target qemu --qemu-binary build/qemu-system-x86_64 --tap",
    ),
    summary="Run a corpus and a campaign as one job, with reports.",
)
