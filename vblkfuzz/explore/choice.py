"""Which search fits a target."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.errors import UsageError
from vblkfuzz.explore.at_gate import AtGate
from vblkfuzz.explore.deviations import EveryPoint
from vblkfuzz.targets.registry import MODEL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.explore.search import Search
    from vblkfuzz.scenario.scenario import Scenario
    from vblkfuzz.targets.target import Target

_UNKNOWN: Final = "schedules do not interrupt its threads"


def search_for(target: Target, scenario: Scenario, most: int, ops: Sequence[int]) -> Search:
    """Return the search over the schedules of a scenario on a target.

    Args:
        target: started.
        scenario: its operations and device.
        most: largest number of deviations.
        ops: numbers of the operations to deviate in; empty: all.

    Raises:
        UsageError: schedules have no effect there.
    """
    if target.name == MODEL:
        return EveryPoint(scenario.device, most, ops)
    check_gate(target)
    return AtGate(most, ops)


def check_gate(target: Target) -> None:
    """Check that schedules interrupt a target; what is wrong may be known once it has started.

    Raises:
        UsageError: they do not.
    """
    reason: str = "" if target.name == MODEL else getattr(target, "no_gate", _UNKNOWN)
    if reason:
        raise UsageError(f"target {target.name}: {reason}")
