"""The rule PLANTED: a test device reports its planted bug itself, by an event.

`fuzz/fuzz_canary.py` hides a bug behind conditions that only the device process evaluates, and
checks that coverage of that process leads the fuzzer there. For this it needs a rule that is exact.
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
    no_situations="it is about test devices only",
)
def PLANTED(scenario: Scenario, events: Sequence[Event], report: Report) -> None:
    """Report every planted event."""
    for event in events:
        report.violation(event, event, f"The planted bug was reached (turn {event.turn}).")
