"""`vblkfuzz export`: findings as reports, tests, programs or traces for other tools.

Each form is an `Export`, imported when it is used; `vblkfuzz.export.registry` says how to add one.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from vblkfuzz.cli.options import complete
from vblkfuzz.cli.options.inputs import AnotherDevice, AnotherTarget, Measured
from vblkfuzz.cli.options.page import PageNumber
from vblkfuzz.cli.options.target import takes_target_options
from vblkfuzz.cli.verb import Verb
from vblkfuzz.cli.views.complaint import say, say_error
from vblkfuzz.errors import InputFileError, UsageError
from vblkfuzz.export.registry import EXPORTS
from vblkfuzz.targets.options import TargetOptions

if TYPE_CHECKING:
    from vblkfuzz.export.export import Export
    from vblkfuzz.triage.pages import Page
    from vblkfuzz.triage.recorded import Others

_FORMS: Final = ", ".join(EXPORTS.names()) or "see vblkfuzz list exports"
"""Names of all forms, for the help; read from metadata, without an import."""


_Form = Annotated[
    str,
    typer.Option(
        "--to",
        metavar="FORM",
        help=f"The form: {_FORMS}.",
        show_default=False,
        autocompletion=complete.exports,
    ),
]


_Output = Annotated[
    Path,
    typer.Option(
        *("--output", "-o"),
        metavar="FILE",
        help="The file, pipe or device to write; - is standard output.",
        show_default=False,
    ),
]


@takes_target_options
def export(  # noqa: PLR0913  # an option each
    path: Annotated[
        str,
        typer.Argument(
            metavar="PATH",
            help="An input, a folder of inputs or an output folder.",
            show_default=False,
        ),
    ],
    to: _Form,
    output: _Output,
    target: AnotherTarget = None,
    device: AnotherDevice = None,
    repeat: Measured = None,
    page: PageNumber = None,
    force: Annotated[
        bool, typer.Option("--force", "-f", help="Replace a file that has other content.")
    ] = False,
    *,
    target_options: TargetOptions,
) -> None:
    """Write findings as a report, tests, a program or a trace for other tools.

    The inputs are run again, each on the target and device that it was found on, so that the
    export shows their current results. It also shows the rate that is kept beside a finding, or
    that of these runs with --repeat. One that cannot run here is named on stderr. A file is
    written under another name and renamed, so it is never incomplete. A program for QEMU is run
    once; if it does not show the bug, stderr says so.

    Of more than 50 findings an HTML report has the stories of a page, and lists the others: --page
    2 is the next one. The other forms have all findings.

    Exit codes: 0 written, 125 an input could not be judged, 2 an input could not be read.
    """
    from vblkfuzz.cli.options.one_input import say_guess
    from vblkfuzz.cli.options.output_file import check_possible, print_output
    from vblkfuzz.triage.case import in_order
    from vblkfuzz.triage.cases import CaseReader
    from vblkfuzz.triage.inputs import input_at, input_files
    from vblkfuzz.triage.replay_target import Options
    from vblkfuzz.triage.story import again

    form = EXPORTS.find(to)
    check_possible(output)
    unreadable: list[InputFileError] = []

    def complain(error: InputFileError) -> None:
        say_error(error)
        unreadable.append(error)

    options = Options(target, device, target_options=target_options)
    reader = CaseReader(complain, options, repeat or 1, measure=repeat is not None)
    files = input_files(path)
    if files == [path]:
        say_guess(path, input_at(path))
    if shown := _page(form, path, files, page):
        reader.sightings[Path(path)] = shown.sightings
    cases = in_order(reader.read(list(shown.files) if shown else files))
    if not cases:
        raise UsageError(f"{path}: nothing to export")
    others = _others(shown, path, to, output) if shown and shown.of > 1 else None
    print_output(output, form.written(cases, unreadable, others), force=force)
    for case in cases:
        if case.outcome.run.execution is None:
            say(f"{case.outcome.input}: {again(case)}")
    if names := form.left_out(cases):
        say(f"{output}: left out, form {to} has no {', '.join(names)}")
    if any(case.violation for case in cases) and (program := form.program(cases)):
        _try(output, program, target_options.qemu_binary)
    raise typer.Exit(int(reader.exit_status))


def _page(form: Export, path: str, files: list[str], number: int | None) -> Page | None:
    """Return the page of findings that a form shows; None: it shows all findings.

    Raises:
        UsageError: there is no such page, or the form has no pages.
    """
    from vblkfuzz.triage.pages import page_of

    if form.paged:
        return page_of(path, files, number or 1)
    if number:
        raise UsageError("--page: this form has all findings; html has pages")
    return None


def _others(page: Page, path: str, to: str, output: Path) -> Others:
    """Return the findings of other pages, for an index in the output file."""
    from vblkfuzz.cli.options.output_file import is_stdout
    from vblkfuzz.triage.recorded import others_of
    from vblkfuzz.triage.shell_word import shell_line

    number = page.number % page.of + 1
    named = f"{output.stem}-{number}{output.suffix}" if not is_stdout(output) else f"{number}.html"
    words = ["vblkfuzz", "export", path, "--to", to, "--page", str(number), "-o", named]
    folder = "" if is_stdout(output) else str(output.parent)
    return others_of(page, folder, shell_line(words))


def _try(output: Path, program: str, binary: str) -> None:
    """Say it if the program of an export does not show the bug."""
    from vblkfuzz.export.trial import not_seen

    if why := not_seen(program, binary):
        say(f"{output}: its program was not seen to show the bug: {why}")


VERB: Final = Verb(
    export,
    examples=(
        "vblkfuzz export finding.vblk --to perfetto -o trace.json",
        "vblkfuzz export finding.vblk --to issue --target qemu -o issue.md",
    ),
    summary="Write findings as a report, tests, a program or a trace.",
)
