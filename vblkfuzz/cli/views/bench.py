"""View of a long benchmark: a progress bar on stderr, on a terminal only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn

from vblkfuzz.cli.views.progress_bar import progress_bar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vblkfuzz.bench.detection import Detection


def watched(campaigns: Iterator[Detection], total: int) -> Iterator[Detection]:
    """Yield campaigns as they end, and show how many of `total` have ended."""
    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    bar = progress_bar(Console(stderr=True, highlight=False, emoji=False), *columns)
    with bar:
        task = bar.add_task("", total=total)
        for campaign in campaigns:
            name = f"{campaign.defect}, {campaign.search}, seed {campaign.seed}"
            bar.update(task, advance=1, description=name)
            yield campaign
