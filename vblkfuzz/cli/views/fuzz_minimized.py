"""The findings of a campaign that were minimized, and those that were not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.triage.story import counted

if TYPE_CHECKING:
    from vblkfuzz.cli.views.screen import Screen
    from vblkfuzz.store.summary import Summary

_NAMED: Final = 5
"""Findings that are named; the others are counted."""


def say_minimized(screen: Screen, summary: Summary) -> None:
    """Print what the findings became, and which were not minimized."""
    if summary.minimized:
        screen.say("Minimized, operations + deviations (minimized.vblk in their folders):")
    for signature, one in sorted(summary.minimized.items()):
        before = f"{one.ops_before} + {one.deviations_before}"
        after = f"{one.ops} + {one.deviations}"
        unfinished = "" if one.complete else " (not finished)"
        screen.say(f"  {before:>6} became {after:<6}  {signature}{unfinished}")
    _say_rest(screen, summary)
    if summary.minimized or summary.not_minimized:
        screen.say()


def minimizing_line(number: int, count: int) -> str:
    """Return the status line after the last execution."""
    return f"minimizing {number} of {counted(count, 'finding')}; ctrl-C stops"


def _say_rest(screen: Screen, summary: Summary) -> None:
    rest = summary.not_minimized
    for signature, problem in sorted(rest.items())[:_NAMED]:
        screen.wrapped(f"not minimized: {signature}: {problem or 'no time left'}")
    if len(rest) > _NAMED:
        screen.say(f"not minimized: {len(rest) - _NAMED} more")
    if rest:
        screen.say("minimize them with: vblkfuzz minimize, and the folder of the campaign")
