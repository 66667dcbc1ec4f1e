"""View of an exploration of stories: a bar on stderr, and the result on stdout."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
from rich.text import Text

from vblkfuzz.cli.views.progress_bar import progress_bar
from vblkfuzz.cli.views.screen import Screen
from vblkfuzz.counted import counted
from vblkfuzz.triage.printable import printable

if TYPE_CHECKING:
    from typing import Self

    from vblkfuzz.explore.all_stories import AllStories, Progress
    from vblkfuzz.explore.explored import Found

    Told = dict[str, tuple[Found, int]]
    """Findings by signature, each with the number of its operations."""

_PLAIN_S: Final = 10.0
"""Seconds between two lines if stderr is no terminal."""


class StoriesView:
    """A progress bar, or lines, and lines for each finding."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False, markup=False, emoji=False)
        self._bar = progress_bar(
            self._console,
            TextColumn("{task.description}"),
            BarColumn(20),
            TextColumn("{task.completed:,}/{task.total:,} groups of stories"),
            TimeRemainingColumn(elapsed_when_finished=True),
        )
        self._task = self._bar.add_task("", total=1)
        self._begun = (0, 0.0, 0)
        """The length under way, when it began here, and how many of its units were done before."""
        self._next_line = time.monotonic() + _PLAIN_S

    def __enter__(self) -> Self:
        """Show the bar."""
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the bar."""
        self._bar.stop()

    def resumed(self, units: int) -> None:
        """Say that an exploration goes on."""
        if units:
            self._say(f"going on after {counted(units, 'group')} of stories")

    def update(self, progress: Progress) -> None:
        """Show how far the exploration is."""
        if progress.length != self._begun[0]:
            self._begun = progress.length, time.monotonic(), progress.done
            self._bar.reset(self._task, total=progress.of, completed=progress.done)
        name = f"stories of {counted(progress.length, 'operation')}"
        self._bar.update(self._task, description=f"{name:<24}", completed=progress.done)
        if self._bar.disable and time.monotonic() >= self._next_line:
            self._next_line = time.monotonic() + _PLAIN_S
            self._say(f"{name}: {progress.done:,}/{progress.of:,} groups{self._left(progress)}")

    def _left(self, progress: Progress) -> str:
        _, began, before = self._begun
        if progress.done == before:
            return ""
        each_s = (time.monotonic() - began) / (progress.done - before)
        left = timedelta(seconds=round(each_s * (progress.of - progress.done)))
        return f", {left} left at this length"

    def announce(self, found: Found, operations: int) -> None:
        """Print a finding, which no story shorter than this shows."""
        self._say(f"{found.rule}: {found.sentence}", "bold red", whole=self._bar.disable)
        self._say(f"    {found.path}", "dim")
        self._say(f"    shortest: {counted(operations, 'operation')}", "dim")
        for each in found.where or ("without any deviation",):
            self._say(f"    {each}", "dim")
        if found.known:
            self._say(f"    known: {found.known}", "dim", whole=self._bar.disable)
        if found.fallback:
            self._say(f"    not in the output folder: {found.fallback}", "yellow")

    def stopped(self) -> None:
        """Say that the exploration can go on."""
        self._say("stopped; the same command goes on")

    def _say(self, text: str, style: str = "", *, whole: bool = True) -> None:
        """Print a line; if not `whole`, it is broken between words."""
        self._console.print(Text(printable(text), style), soft_wrap=whole)


class StoriesResult(NamedTuple):
    """The result of an exploration, on stdout."""

    device: str
    deviations: int
    """Most deviations of a schedule."""
    stories: AllStories
    told: Told
    complete: bool

    def to_json(self) -> dict[str, object]:
        """Return the result as an object for JSON."""
        totals = self.stories.totals()
        return {
            "device": self.device,
            "length": self.stories.length,
            "complete": self.complete,
            "stories": totals.stories,
            "schedules": totals.schedules,
            "prefixes": totals.prefixes,
            "merged": totals.merged,
            "findings": [
                {
                    "signature": found.signature,
                    "rule": found.rule,
                    "operations": operations,
                    "deviations": len(found.where),
                    "known": found.known,
                    "path": found.path,
                }
                for found, operations in self.told.values()
            ],
        }

    def show(self) -> None:
        """Print one line, and the findings, shortest first."""
        screen = Screen()
        totals = self.stories.totals()
        which = "all" if self.complete else "stopped after"
        ran = counted(totals.schedules, "schedule")
        bound = counted(self.deviations, "deviation")
        result = counted(len(self.told), "finding") if self.told else "clean"
        stories = counted(totals.stories, "story", "stories")
        screen.say(f"{self.device}: {which} {stories}, {ran} of at most {bound}: {result}")
        if self.told:
            screen.table(
                ("rule", "needs", "finding", "known"),
                [
                    (found.rule, _needs(found, operations), found.signature, found.known)
                    for found, operations in self.told.values()
                ],
            )


def _needs(found: Found, operations: int) -> str:
    deviations = counted(len(found.where), "deviation")
    return f"{counted(operations, 'operation')}, {deviations}"
