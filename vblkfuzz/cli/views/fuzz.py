"""The live view of a campaign, on stderr: one status line, and lines for each finding."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from vblkfuzz.cli.views.complaint import printable
from vblkfuzz.cli.views.fuzz_minimized import minimizing_line
from vblkfuzz.cli.views.fuzz_summary import last_line
from vblkfuzz.triage.story import counted

if TYPE_CHECKING:
    from vblkfuzz.campaign.orchestrator import CampaignOptions
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
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the status line."""
        self._live.stop()

    def announce(self, message: Message) -> None:
        """Print a finding, an error or another message of the campaign."""
        self._begin()
        if message.kind == "finding":
            self._say(f"{message.rule}: {message.sentence}", "bold red")
            self._say(f"    {message.path}", "dim")
            if message.known:
                self._say(f"    known: {message.known}", "dim")
        elif message.kind in ("harness_error", "hang"):
            self._announce_error(last_line(message.name))
        elif message.kind == "unsteady":
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
        """Update the status line; without a terminal, print it every ten seconds."""
        self._begin()
        if self._moves:
            line = Text(status_line(summary, self._options.seconds), no_wrap=True)
            line.truncate(self._console.width - 1, overflow="ellipsis")
            self._live.update(line, refresh=True)
        elif time.monotonic() >= self._next_line:
            self._next_line = time.monotonic() + _PLAIN_S
            self._say(status_line(summary, self._options.seconds))

    def _begin(self) -> None:
        if self._begun:
            return
        self._begun = True
        options = self._options
        self._say(
            f"fuzzing {options.device} ({options.mode}) with {counted(options.workers, 'worker')}, "
            f"seed {options.seed}, into {options.out}"
        )
        if self._moves:
            self._live.start()

    def _say(self, text: str, style: str = "") -> None:
        self._console.print(Text(printable(text), style), soft_wrap=True)


def status_line(summary: Summary, budget_s: float) -> str:
    """Return the progress of a campaign, in at most 80 columns up to a day."""
    if summary.minimizing:
        return minimizing_line(*summary.minimizing)
    met = sum(summary.situations.values())
    clock = _clock(summary.seconds) + (f"/{_clock(budget_s)}" if budget_s else "")
    return (
        f"{clock}  {_short(summary.execs)} execs  {_short(summary.execs_per_s)}/s  "
        f"{len(summary.findings)} findings  {_short(summary.features)} features  "
        f"{met}/{len(summary.situations)} met"
    )


def _clock(seconds: float) -> str:
    whole = int(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"


def _short(count: float) -> str:
    """Write a number in at most six columns."""
    for unit in ("", "k", "M", "G"):
        if count < 9999.5:
            return f"{count:.0f}{unit}" if count >= 1000 or not unit else f"{count:.1f}{unit}"
        count /= 1000
    return f"{count:.0f}T"
