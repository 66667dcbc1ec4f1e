"""The sentences of CRASH and HANG where the fault is known: how the device ended, and where."""

from __future__ import annotations

import pytest

from vblkfuzz.oracle.judge import judge
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.event import ActorId, Event
from vblkfuzz.trace.fault import Fault
from vblkfuzz.trace.kinds import (
    CANCEL,
    CRASH,
    DRAIN_CALL,
    DRAIN_END,
    DRAIN_RET,
    HANG,
    OP,
    POP,
    PUSH,
    RESET_CALL,
    RESET_RET,
)
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


# --- A crash while a device with a parked request is unplugged ------------------------------------

SECTION = (Event(0, DRAIN_CALL, value=1), Event(1, DRAIN_RET, flag=1))
UNPLUG = (Event(3, OP, value=2), Event(3, RESET_CALL, flag=2))
DEQUEUED = Event(4, POP, ActorId.IO0, queue=0, request=1)
CRASHED = Event(7, CRASH, flag=11)
STRAY = Fault(CRASH, "SIGSEGV", "", "object_get_class", "", 0, signal=11)
LOCK = Fault(CRASH, "SIGABRT", "", "qemu_mutex_lock_impl", "", 0, signal=6)
ASSERTED = Fault(CRASH, "SIGABRT", "x > 0", "fill", "virtio.c", 3, "x > 0", signal=6)


def crash(fault: Fault | None, *events: Event) -> tuple[str, str]:
    """Signature and sentence of the crash."""
    trace = Trace((*events, CRASHED), fault=fault, witnesses=Witness.PROCESS)
    (found,) = judge(Scenario(), trace).violations
    return found.signature, found.sentence


@pytest.mark.parametrize("fault", [STRAY, LOCK, None])
def test_the_place_of_a_use_after_free_is_chance(fault: Fault | None) -> None:
    signature, sentence = crash(fault, *SECTION, *UNPLUG, DEQUEUED)
    assert signature == "crash-unplug-parked"
    assert sentence.endswith("; request 1, dequeued at turn 4, was parked then.")
    earlier = (*SECTION, DEQUEUED, Event(4, RESET_CALL), Event(4, RESET_RET), *UNPLUG)
    assert crash(fault, *earlier)[0] == "crash-unplug-parked"


ENDED = (Event(5, PUSH, queue=0, request=1), Event(5, CANCEL, request=1))


@pytest.mark.parametrize(
    ("fault", "events"),
    [
        (ASSERTED, (*SECTION, *UNPLUG, DEQUEUED)),  # the program says what is wrong
        (STRAY, (*SECTION, *UNPLUG)),  # nothing is owned
        *((STRAY, (*SECTION, *UNPLUG, DEQUEUED, ended)) for ended in ENDED),
        (STRAY, (*UNPLUG, DEQUEUED)),  # no section: it is in flight
        (STRAY, (SECTION[0], *UNPLUG, DEQUEUED)),  # the section waits for it
        (STRAY, (*SECTION, Event(2, DRAIN_END), *UNPLUG, DEQUEUED)),
        (STRAY, (*SECTION, *UNPLUG, DEQUEUED, Event(5, RESET_RET))),  # the unplug is over
        (STRAY, (*SECTION, Event(3, OP), Event(3, RESET_CALL, flag=1), DEQUEUED)),  # a reset
    ],
)
def test_another_crash_is_named_by_its_place(fault: Fault, events: tuple[Event, ...]) -> None:
    signature, sentence = crash(fault, *events)
    assert signature == f"crash-{fault.name.lower()}"
    assert "parked" not in sentence
