"""What people see of a long benchmark: a bar on stderr, where that is a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vblkfuzz.campaign.bench_detection import Detection


def watched(campaigns: Iterator[Detection], total: int) -> Iterator[Detection]:
    """Yield campaigns as they end, and show how many of `total` have."""
    console = Console(stderr=True, highlight=False, emoji=False)
    bar = Progress(
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
        console=console,
        transient=True,
        disable=not console.is_terminal or console.is_dumb_terminal,
        redirect_stdout=False,
        redirect_stderr=False,
    )
    with bar:
        task = bar.add_task("", total=total)
        for campaign in campaigns:
            name = f"{campaign.defect}, {campaign.search}, seed {campaign.seed}"
            bar.update(task, advance=1, description=name)
            yield campaign
