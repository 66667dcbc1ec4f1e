"""What a schedule did to threads, from the lines of the gate."""

from __future__ import annotations

from vblkfuzz.gate.gate import note
from vblkfuzz.scenario.scenario import Deviation, Go, Role
from vblkfuzz.targets.dequeue import Dequeue
from vblkfuzz.targets.hold import Hold, Holds, in_order
from vblkfuzz.trace.event import ActorId
from vblkfuzz.trace.schedule_kinds import GOES_ON, HELD

DEVIATION = Deviation(2, 5, Go.NEXT, role=Role.IO0)
HOLD = Hold(HELD, ActorId.IO0, 3, 5, Go.NEXT)
END = HOLD._replace(kind=GOES_ON)
POP = Dequeue(0, ActorId.IO0)


def test_each_is_told_once() -> None:
    holds = Holds()
    holds.feed(7, note(b"held", 3, DEVIATION))
    holds.feed(7, b"1@2.3:virtqueue_pop x\n")
    assert holds.take() == [HOLD]
    holds.feed(7, note(b"goes_on", 3, DEVIATION))
    assert holds.take() == [END]
    assert holds.take() == []


def test_dequeues_are_between_the_end_of_one_and_the_begin_of_the_next() -> None:
    assert in_order([], [POP]) == [POP]
    assert in_order([END, HOLD, END], [POP]) == [END, POP, HOLD, END]
    assert in_order([END], [POP, POP]) == [END, POP, POP]
