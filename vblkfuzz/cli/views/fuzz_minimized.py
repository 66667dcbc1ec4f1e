"""The findings of a campaign that were minimized, and those that were not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from vblkfuzz.counted import counted
from vblkfuzz.triage.shell_word import shell_line

if TYPE_CHECKING:
    from vblkfuzz.cli.views.screen import Screen
    from vblkfuzz.store.summary import Summary

_NAMED: Final = 5
"""Findings that are named; the others are counted."""


def minimizing_line(number: int, count: int) -> str:
    """Return the status line after the last execution."""
    return f"minimizing {number} of {counted(count, 'finding')}; ctrl-C stops"


def say_minimized(screen: Screen, summary: Summary) -> None:
    """Print what the findings became, and which were not minimized."""
    if summary.minimized:
        screen.say("Minimized, operations + deviations (minimized.vblk in their folders):")
    for signature, one in sorted(summary.minimized.items()):
        before = f"{one.ops_before} + {one.deviations_before}"
        after = f"{one.ops} + {one.deviations}{'' if one.complete else ' so far'}"
        screen.say(f"  {before:>6} became {after:<6}  {signature}")
    if summary.not_minimized:
        _say_rest(screen, summary)
    if summary.minimized or summary.not_minimized:
        screen.say()


def _say_rest(screen: Screen, summary: Summary) -> None:
    """Print the findings that were not minimized, by reason, and what to do."""
    reasons: dict[str, list[str]] = {}
    for signature, problem in sorted(summary.not_minimized.items()):
        reasons.setdefault(problem or "no time", []).append(signature)
    for reason, signatures in reasons.items():
        more = len(signatures) - _NAMED
        names = [*signatures[:_NAMED], *([f"and {more} more"] if more > 0 else [])]
        screen.wrapped(f"{', '.join(names)} ({reason})", label="Not minimized: ")
    paths = [Path(finding.path) for finding in summary.findings.values() if finding.path]
    if paths:
        words = ["vblkfuzz", "minimize", str(paths[0].parents[1])]
        which = "the others" if summary.minimized else "them"
        screen.say(f"minimize {which} with: {shell_line(words)}")
