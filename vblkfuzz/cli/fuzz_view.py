"""The live view of a campaign, on stderr: one line that moves, and a line for each finding."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, Self

from rich.console import Console
from rich.status import Status
from rich.text import Text

from vblkfuzz.cli.complaint import printable

if TYPE_CHECKING:
    from vblkfuzz.campaign.orchestrator import CampaignOptions
    from vblkfuzz.campaign.plan import Message
    from vblkfuzz.campaign.summary import Summary

_PLAIN_S: Final = 10.0
"""Seconds between lines where there is no terminal."""


class FuzzView:
    """Shows how a campaign goes."""

    def __init__(self, options: CampaignOptions) -> None:
        self._options = options
        self._console = Console(stderr=True, highlight=False, markup=False, emoji=False)
        self._status = Status("starting", console=self._console, spinner="line")
        self._next_line = time.monotonic() + _PLAIN_S

    def __enter__(self) -> Self:
        options = self._options
        self._say(
            f"fuzzing {options.device} ({options.mode}) with {options.workers} workers, "
            f"seed {options.seed}, into {options.out}"
        )
        if self._console.is_terminal:
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._status.stop()

    def announce(self, message: Message) -> None:
        """A finding, or something that the user should know at once."""
        if message.kind == "finding":
            self._say(f"{message.rule}: {message.sentence}", "bold red")
            self._say(f"    {message.path}", "dim")
        elif message.kind != "situation":
            last = message.name.strip().splitlines()[-1]
            self._say(f"{message.kind}: {last}", "yellow")

    def progress(self, summary: Summary) -> None:
        """Where the campaign is."""
        line = self._line(summary)
        if self._console.is_terminal:
            self._status.update(line)
        elif time.monotonic() >= self._next_line:
            self._next_line = time.monotonic() + _PLAIN_S
            self._say(line)

    def _line(self, summary: Summary) -> str:
        met = sum(summary.situations.values())
        return (
            f"{self._clock(summary)}  {summary.execs:,} execs  {summary.execs_per_s:,.0f}/s  "
            f"{summary.features:,} features  {met}/{len(summary.situations)} situations  "
            f"{len(summary.findings)} findings"
        )

    def _clock(self, summary: Summary) -> str:
        seconds = int(summary.seconds)
        text = f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        budget = self._options.seconds
        return f"{text} of {budget:.0f} s" if budget else text

    def _say(self, text: str, style: str = "") -> None:
        self._console.print(Text(printable(text), style), soft_wrap=True)
