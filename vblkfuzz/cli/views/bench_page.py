"""Writes the page of ``bench detect --write``, and its curves into a folder beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.cli.options.output_file import check_possible, check_suffix, write_output
from vblkfuzz.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from vblkfuzz.bench.results import Setup
    from vblkfuzz.bench.trial import Trial

_HEAD: Final = b"# Time to detection\n"


def check_page(page: Path) -> None:
    """Check that the page can be written, before the work that takes long.

    Raises:
        UsageError: it cannot, or the file is another page.
    """
    check_suffix(page, ".md")
    check_possible(page)
    if page.is_file() and not page.read_bytes().startswith(_HEAD):
        raise UsageError(f"{page}: exists, and is no page of bench detect; name another file")


def write_page(page: Path, setup: Setup, trials: Sequence[Trial]) -> None:
    """Write the page and its curves; an earlier page of bench detect is replaced.

    Raises:
        UsageError: one of them cannot be written.
    """
    from vblkfuzz.bench.page import page_of

    curves = page.with_suffix("")
    try:
        curves.mkdir(exist_ok=True)
    except OSError as error:
        raise UsageError(f"{curves}: cannot be written: {error.strerror}") from None
    for name, data in page_of(setup, trials, curves.name).items():
        write_output(curves / name if name else page, data, force=True)
