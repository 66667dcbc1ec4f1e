"""The live view of a campaign, on stderr: a block of figures, and lines for each finding."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, Self

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from vblkfuzz.cli.standard_streams import wait_for_nobody
from vblkfuzz.cli.views.fuzz_status import status_block, status_lines
from vblkfuzz.cli.views.fuzz_summary import last_line
from vblkfuzz.counted import counted
from vblkfuzz.triage.printable import printable

if TYPE_CHECKING:
    from vblkfuzz.campaign.options import CampaignOptions
    from vblkfuzz.launch.plan import Message
    from vblkfuzz.store.summary import Summary

_PLAIN_S: Final = 10.0
"""Seconds between status lines if stderr is no terminal."""
_ERROR_LINES: Final = 20
"""Number of different errors that are shown, so that many errors do not hide the findings."""


class FuzzView:
    """Shows the progress of a campaign."""

    def __init__(self, options: CampaignOptions) -> None:
        self._options = options
        self._console = Console(stderr=True, highlight=False, markup=False, emoji=False)
        self._moves = self._console.is_terminal and not self._console.is_dumb_terminal
        # By default rich would redirect stdout to stderr, including the lines of --json.
        self._live = Live(
            console=self._console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._begun = False
        self._errors: set[str] = set()
        self._next_line = time.monotonic() + _PLAIN_S

    def __enter__(self) -> Self:
        """Show nothing yet: if the campaign cannot start, its error is the only line."""
        wait_for_nobody()
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the figures."""
        self._live.stop()

    def announce(self, message: Message) -> None:
        """Print a finding, an error or another message of the campaign."""
        self._begin()
        if message.kind == "finding":
            self._wrap(f"{message.rule}: {message.sentence}", "bold red")
            self._say(f"    {message.path}", "dim")
            if message.known:
                self._wrap(f"    known: {message.known}", "dim")
        elif message.kind in ("harness_error", "hang"):
            self._announce_error(last_line(message.name))
        elif message.kind == "paused":
            self._live.stop()  # the shell gets its cursor back
            self._say(f"paused: {message.name}")
        elif message.kind in ("unsteady", "continued"):
            self._say(message.name, "yellow")
        else:
            self._say(f"{message.kind}: {message.name}", "yellow")

    def _announce_error(self, error: str) -> None:
        if error in self._errors or len(self._errors) > _ERROR_LINES:
            return
        self._errors.add(error)
        if len(self._errors) > _ERROR_LINES:
            error = "further errors are counted, not shown"
        self._say(f"harness error: {error}", "yellow")

    def progress(self, summary: Summary) -> None:
        """Update the figures; without a terminal, print them every ten seconds."""
        self._begin()
        if self._moves:
            self._live.start()
            self._live.update(self._block(summary), refresh=True)
        elif time.monotonic() >= self._next_line:
            self._next_line = time.monotonic() + _PLAIN_S
            for line in status_lines(summary, self._options.seconds, self._workers):
                self._say(line)

    def _block(self, summary: Summary) -> Group:
        lines = []
        for line in status_block(summary, self._options.seconds, self._workers):
            lines.append(Text(line, no_wrap=True))
            lines[-1].truncate(self._console.width - 1, overflow="ellipsis")
        return Group(*lines)

    @property
    def _workers(self) -> int:
        """Workers that there are: no more than there are runs."""
        return min(self._options.workers, self._options.runs or self._options.workers)

    def _begin(self) -> None:
        if self._begun:
            return
        self._begun = True
        options = self._options
        self._say(
            f"fuzzing {options.device} ({options.mode}) with {counted(self._workers, 'worker')}, "
            f"seed {options.seed}, into {options.out}"
        )
        if self._moves:
            self._live.start()

    def _wrap(self, text: str, style: str) -> None:
        """Print a sentence; on a terminal it is broken between words."""
        self._console.print(Text(printable(text), style), soft_wrap=not self._moves)

    def _say(self, text: str, style: str = "") -> None:
        self._console.print(Text(printable(text), style), soft_wrap=True)
