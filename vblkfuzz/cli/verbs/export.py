"""`vblkfuzz export`: findings in a form that others can run or look at.

Each format is one function from cases to text, in a module of `vblkfuzz.triage` that is imported
when it is asked for. To add one, name it in `Format` and in `_WRITERS`.
"""

from __future__ import annotations

import importlib
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from vblkfuzz.cli.options.inputs import AnotherDevice, AnotherTarget
from vblkfuzz.cli.options.target import takes_target_options
from vblkfuzz.cli.verb import Verb
from vblkfuzz.cli.views.complaint import say_error
from vblkfuzz.errors import UsageError
from vblkfuzz.targets.options import TargetOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vblkfuzz.triage.case import Case

    Writer = Callable[[Sequence[Case]], str]


class Format(StrEnum):
    """What an export can be."""

    PERFETTO = "perfetto"
    HTML = "html"
    SARIF = "sarif"
    PYTEST = "pytest"
    QTEST = "qtest"


_WRITERS: Final[dict[Format, tuple[str, str]]] = {
    Format.PERFETTO: ("vblkfuzz.export.perfetto", "perfetto_text"),
    Format.HTML: ("vblkfuzz.export.html_report", "html_text"),
    Format.SARIF: ("vblkfuzz.export.sarif", "sarif_text"),
    Format.PYTEST: ("vblkfuzz.export.pytest_file", "pytest_text"),
    Format.QTEST: ("vblkfuzz.export.qtest_file", "qtest_text"),
}
"""Module and function of each format."""


@takes_target_options
def export(  # noqa: PLR0913  # an option each
    path: Annotated[
        str,
        typer.Argument(
            metavar="PATH", help="A finding, a scenario or an output folder.", show_default=False
        ),
    ],
    to: Annotated[Format, typer.Option("--to", help="The form.", show_default=False)],
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", metavar="FILE", help="The file to write.", show_default=False
        ),
    ],
    target: AnotherTarget = None,
    device: AnotherDevice = None,
    force: Annotated[
        bool, typer.Option("--force", "-f", help="Replace a file that has other content.")
    ] = False,
    *,
    target_options: TargetOptions,
) -> None:
    """Write findings in a form that others can run or look at.

    The inputs are run once more, so that the export says what happens now. The file is written
    aside and renamed, so it is whole or not there.

    Exit codes: 0 written, 125 an input could not be judged, 2 one could not be read.
    """
    from vblkfuzz.cli.options.output_file import write_output
    from vblkfuzz.triage.case import in_order
    from vblkfuzz.triage.cases import CaseReader, case_files
    from vblkfuzz.triage.replay_target import Options

    reader = CaseReader(say_error, Options(target, device, target_options=target_options))
    cases = in_order(reader.read(case_files(path)))
    if not cases:
        raise UsageError(f"{path}: nothing to export")
    write_output(output, writer_of(to)(cases).encode(), force=force)
    raise typer.Exit(int(reader.exit_status))


def writer_of(form: Format) -> Writer:
    """Return the function that writes a format."""
    module, name = _WRITERS[form]
    found: Writer = getattr(importlib.import_module(module), name)
    return found


VERB: Final = Verb(
    export,
    examples=(
        "vblkfuzz export finding.vblk --to perfetto -o trace.json",
        "vblkfuzz export scenario.toml --to perfetto -o trace.json --device qemu-8.1",
    ),
    summary="Write findings in a form that others can run or look at.",
)
