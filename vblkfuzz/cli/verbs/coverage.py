"""`vblkfuzz coverage`: which lines and branches of your own device a corpus reaches."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from vblkfuzz.cli.options.inputs import Device
from vblkfuzz.cli.verb import Verb
from vblkfuzz.errors import InputFileError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator


def coverage(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="DIR", help="A corpus, or the output folder of a campaign.", show_default=False
        ),
    ],
    device: Device,
    html: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write pages with the source as well.")
    ] = None,
    lcov: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a tracefile of lcov as well.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", "-f", help="Replace what --html and --lcov name.")
    ] = False,
) -> None:
    """Show which lines and branches of your own device the inputs of a corpus reach.

    All inputs run inline, those of findings included. Counted are the file of the class, and the
    imported modules beside and below it: for a class in a package, those of the package.

    Exit code: 0 done; else 125 an input could not be judged; else 2 one could not be read.
    """
    from vblkfuzz.cli.options.measured import CorpusReader
    from vblkfuzz.feedback.line_coverage import LineCoverage

    _check_outputs(html, lcov, force=force)
    folders = list(_folders(folder))
    reached = LineCoverage(device)
    reader = CorpusReader(reached.run)
    try:
        inputs = sum(1 for one in folders for _ in reader.read(one, may_be_empty=True))
    finally:
        report = reached.stop()
    if not inputs:
        raise InputFileError(str(folder), "", "expected inputs, found none that could be run")
    report.print()
    if html is not None:
        report.write_html(html)
    if lcov is not None:
        report.write_lcov(lcov)
    raise typer.Exit(reader.exit_status)


def _folders(folder: Path) -> Iterator[Path]:
    """Yield the folders of inputs that a folder stands for: two, if a campaign has written it."""
    from vblkfuzz.store.history import LEDGER

    if not (folder / LEDGER).exists():
        yield folder
        return
    yield from filter(Path.is_dir, (folder / "corpus", folder / "findings"))


def _check_outputs(html: Path | None, lcov: Path | None, *, force: bool) -> None:
    from vblkfuzz.cli.options.output_file import check_absent

    if lcov is not None:
        check_absent(lcov, force=force)
    if html is None or not html.exists():
        return
    if not html.is_dir():
        raise UsageError(f"{html}: expected a folder, found a file")
    if any(html.iterdir()) and not force:
        raise UsageError(f"{html}: exists; --force replaces its files")


VERB: Final = Verb(
    coverage,
    examples=(
        "vblkfuzz coverage vblkfuzz-out --device device.py:MyDevice",
        "vblkfuzz coverage corpus --device device.py:MyDevice --html coverage",
    ),
    summary="Show which lines of your own device a corpus reaches.",
)
