"""The progress bar of verbs that take long: on stderr, gone at the end, only on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.progress import Progress

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import ProgressColumn


def progress_bar(console: Console, *columns: ProgressColumn) -> Progress:
    """Return a bar of these columns, not started yet; where `console` is no terminal, none shows.

    What is printed on stdout stays there: by default rich would send it to the bar's console.
    """
    return Progress(
        *columns,
        console=console,
        transient=True,
        disable=not console.is_terminal or console.is_dumb_terminal,
        redirect_stdout=False,
        redirect_stderr=False,
    )
