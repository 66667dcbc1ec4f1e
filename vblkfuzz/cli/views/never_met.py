"""The situations that were never met, under the rules that were hardly tested without them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from vblkfuzz.cli.views.screen import Screen

_FEW: Final = 12
"""Most situations that `fuzz` lists: a small budget misses most of them."""


def say_never_met(screen: Screen, missed: Collection[str]) -> None:
    """Print each rule with the situations that it lacks; nothing if there is none."""
    from vblkfuzz.oracle.judge import RULES

    if not missed:
        return
    left = set(missed)
    screen.say("Never met, so these rules were hardly tested:", "bold")
    for rule in RULES:
        lacking = [one for one in rule.situations if one.name in left]
        left -= {one.name for one in lacking}
        if lacking:
            screen.wrapped(rule.title, label=f"{rule.id:<4}", style="cyan")
        for one in lacking:
            screen.wrapped(one.summary, label="    - ")


def say_how_many(screen: Screen, missed: Collection[str], all_of: int, out: Path) -> None:
    """Print the situations if they are few, else how many they are and where to see them."""
    if len(missed) <= _FEW:
        say_never_met(screen, missed)
        return
    screen.wrapped(
        f"{len(missed)} of {all_of} situations that the rules need were not met by this campaign. "
        f"What the folder still lacks: vblkfuzz status {out}"
    )
