"""The sentences of CRASH and HANG where the fault is known: how the device ended, and where."""

from __future__ import annotations

import pytest

from vblkfuzz.oracle.judge import judge
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.fault import Fault
from vblkfuzz.trace.kinds import CRASH, HANG, OP
from vblkfuzz.trace.trace import Trace
from vblkfuzz.trace.witness import Witness

STARTED = Event(3, OP, value=2)
PLACE = ("answer", "device.py", 6)
DURING = "at turn 5, during operation 2, which began at turn 3."


def told(fault: Fault, *events: Event) -> list[str]:
    trace = Trace(events, fault=fault, witnesses=~Witness(0))
    return [found.sentence for found in judge(Scenario(), trace).violations]


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (
            Fault(CRASH, "SIGABRT", "", *PLACE, signal=6, status=134),
            f"The device process was ended by SIGABRT in answer (device.py, line 6), {DURING}",
        ),
        (
            Fault(CRASH, "exit", "no memory", "", "", 0, status=3),
            f"The device process ended with exit status 3 (no memory), {DURING}",
        ),
        (
            Fault(CRASH, "KeyError", "", *PLACE, status=1),
            f"The device raised KeyError in answer (device.py, line 6), {DURING}",
        ),
        (
            Fault(HANG, "", "", *PLACE),
            f"The device never ends answer (device.py, line 6), {DURING}",
        ),
    ],
)
def test_a_fault_during_an_operation(fault: Fault, sentence: str) -> None:
    assert told(fault, STARTED, Event(5, fault.kind)) == [sentence]


def test_a_fault_before_the_first_operation() -> None:
    fault = Fault(CRASH, "KeyError", "", "", "", 0)
    assert told(fault, Event(0, CRASH), STARTED) == [
        "The device raised KeyError, before the first operation."
    ]
