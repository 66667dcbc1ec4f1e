"""The canaries of a campaign: planted defects that it must find, or it could find nothing.

`campaign.canary` runs them; here is what became of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from vblkfuzz.counted import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

ENOUGH: Final = 200
"""Tries after which the easiest canary has shown itself, or the set-up cannot find bugs."""


@dataclass(frozen=True, slots=True)
class Canary:
    """A planted defect, and whether inputs of the campaign showed it."""

    defect: str
    tries: int = 0
    """Inputs that ran on a device with the defect."""
    first_exec: int | None = None
    """Executions of all workers until one showed it; None: none has."""
    first_s: float | None = None
    """Seconds until then."""

    @property
    def found(self) -> bool:
        """Whether an input showed it."""
        return self.first_exec is not None


def blind(canaries: Sequence[Canary]) -> str:
    """Say that the campaign cannot find bugs, if so; else empty.

    It is so if the easiest canary, the first one, was tried often enough and never found.
    """
    if not canaries or canaries[0].found or canaries[0].tries < ENOUGH:
        return ""
    first = canaries[0]
    return (
        f"this set-up cannot find bugs: planted defect {first.defect} was not found "
        f"by {counted(first.tries, 'input')}"
    )


def words(canaries: Sequence[Canary]) -> str:
    """Return what became of canaries, in words; empty if there are none.

    >>> words([Canary("a", 9, 250, 0.5), Canary("b", 9), Canary("c", 8)])
    '1 of 3 planted defects found, first after 250 executions; never: b, c'
    """
    if not canaries:
        return ""
    if not any(one.tries for one in canaries):
        return "no planted defect was tried: too few executions"
    found = [one.first_exec for one in canaries if one.first_exec is not None]
    said = f"{len(found)} of {counted(len(canaries), 'planted defect')} found"
    if found:
        said += f", first after {counted(min(found), 'execution')}"
    never = ", ".join(one.defect for one in canaries if not one.found)
    return f"{said}; never: {never}" if never else said


def together(campaigns: Sequence[tuple[int, Sequence[Canary]]]) -> list[Canary]:
    """Return the canaries of several campaigns of a folder as if they were one.

    Args:
        campaigns: the executions of each, and its canaries; in the order of their start.
    """
    total: dict[str, Canary] = {}
    execs = 0
    for count, canaries in campaigns:
        for one in canaries:
            before = total.get(one.defect, Canary(one.defect))
            now = replace(before, tries=before.tries + one.tries)
            if one.first_exec is not None and not before.found:
                now = replace(now, first_exec=execs + one.first_exec, first_s=one.first_s)
            total[one.defect] = now
        execs += count
    return list(total.values())
