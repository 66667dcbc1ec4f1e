"""The planted rule: a bug that a test device announces itself.

`fuzz/fuzz_canary.py` hides a bug behind conditions that only the device process can see, and
checks that coverage of that process leads the fuzzer there. It needs a rule that cannot be wrong.
"""

from __future__ import annotations

from collections.abc import Sequence

from vblkfuzz.oracle.rule import Report, rule
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace import kinds
from vblkfuzz.trace.event import Event


@rule(
    "PLANTED",
    title="A test device reached its planted bug.",
    source="vblkfuzz: fuzz/fuzz_canary.py",
    instead="The device does not reach the place that its author marked.",
    needs=(kinds.PLANTED,),
    polling_tells=True,
)
def PLANTED(scenario: Scenario, events: Sequence[Event], report: Report) -> None:
    """Report every planted event."""
    for event in events:
        report.violation(event, event, f"The planted bug was reached (turn {event.turn}).")
