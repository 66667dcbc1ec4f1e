"""The progress bar of long-running verbs: on a terminal only, removed at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.progress import Progress

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import ProgressColumn


def progress_bar(console: Console, *columns: ProgressColumn) -> Progress:
    """Return a bar of these columns, not started yet; it is hidden if `console` is no terminal.

    It does not redirect stdout: by default rich would send that to the bar's console.
    """
    return Progress(
        *columns,
        console=console,
        transient=True,
        disable=not console.is_terminal or console.is_dumb_terminal,
        redirect_stdout=False,
        redirect_stderr=False,
    )
