"""The result of an exploration on stdout: as text, and as an object for JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.cli.views.screen import Screen
from vblkfuzz.counted import counted

if TYPE_CHECKING:
    from vblkfuzz.explore.explored import Explored, Found
    from vblkfuzz.triage.outcome import Setup

_COLUMNS: Final = ("rule", "needs", "finding", "known")
_SHOWN: Final = 20
"""Schedules without a verdict that are listed."""


def explored_object(explored: Explored, setup: Setup, deviations: int) -> dict[str, object]:
    """Return the result for JSON."""
    return {
        "target": setup.target,
        "device": setup.device,
        "mode": setup.mode,
        "deviations": deviations,
        "schedules": explored.schedules,
        "complete": explored.complete,
        "findings": [
            {
                "signature": found.signature,
                "rule": found.rule,
                "deviations": len(found.where),
                "confidence": found.confidence.to_json() if found.confidence else None,
                "known": found.known,
                "path": found.path,
            }
            for found in explored.findings.values()
        ],
        "unjudged": [{"schedule": one.where, "error": one.error} for one in explored.unjudged],
    }


def print_explored(explored: Explored, setup: Setup, deviations: int) -> None:
    """Print the result: one line, the findings, and the schedules that could not be judged."""
    screen = Screen()
    which = "all" if explored.complete else "stopped after"
    bound = counted(deviations, "deviation")
    findings = counted(len(explored.findings), "finding")
    ran = counted(explored.schedules, "schedule")
    screen.say(f"{setup.device}: {which} {ran} of at most {bound}, {findings}")
    if explored.findings:
        screen.table(
            _COLUMNS,
            [
                (found.rule, _needs(found), found.signature, found.known)
                for found in explored.findings.values()
            ],
        )
    _print_unjudged(screen, explored)


def _needs(found: Found) -> str:
    again = f", {found.confidence.rate.counts} again" if found.confidence else ""
    return f"{counted(len(found.where), 'deviation')}{again}"


def _print_unjudged(screen: Screen, explored: Explored) -> None:
    unjudged = explored.unjudged
    if unjudged:
        screen.say(f"{counted(len(unjudged), 'schedule')} could not be judged:")
    for one in unjudged[:_SHOWN]:
        screen.say(f"  {'; '.join(one.where)}: {one.error}")
    if unjudged[_SHOWN:]:
        screen.say(f"  and {len(unjudged) - _SHOWN:,} more")
