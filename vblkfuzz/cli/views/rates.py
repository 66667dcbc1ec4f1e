"""How often findings show when they are run again: a table, and what could not be kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vblkfuzz.cli.views.complaint import say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vblkfuzz.cli.views.screen import Screen
    from vblkfuzz.store.confidence import Confidence
    from vblkfuzz.triage.outcome import Outcome


def say_rates(screen: Screen, kept: Mapping[str, Confidence]) -> None:
    """Print how often findings were shown again; nothing if none was measured."""
    if not kept:
        return
    screen.say("Re-runs that showed the finding (on a real device, with the 95 % interval):")
    for signature, one in sorted(kept.items()):
        screen.say(f"  {signature}")
        screen.wrapped(str(one), indent=6)


def say_unsteady(kept: Mapping[str, Confidence]) -> None:
    """Say on stderr of which findings the model was not deterministic."""
    for signature, one in sorted(kept.items()):
        if one.unsteady:
            say(f"{signature}: {one.unsteady}")


def keep_rate(outcome: Outcome) -> None:
    """Keep what was measured; say on stderr if the model varied, or it cannot be written."""
    from vblkfuzz.triage.rerun import keep

    if outcome.unsteady:
        say(f"{outcome.input}: {outcome.unsteady}")
    try:
        keep(outcome)
    except OSError as error:
        say(f"{outcome.input}: its rate is not kept: {error.strerror or error}")
