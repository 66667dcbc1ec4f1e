"""A device process that owns its gate: nothing is left if the gate cannot be opened."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.conformance.leftovers import nothing_left
from vblkfuzz.errors import DeviceUnavailable
from vblkfuzz.gate.filter import Calls
from vblkfuzz.gate.gate import Gate
from vblkfuzz.targets.coverage.coverage import Coverage
from vblkfuzz.targets.gated import CallDoor, CallGate, CallPoints, GateDoor
from vblkfuzz.targets.gated_child import GatedChild
from vblkfuzz.targets.hold import Holds

POINTS = CallPoints(Calls.WAITS, ())


class Shut(GateDoor):
    """Cannot be opened."""

    def prepare(self) -> None:
        pass

    def open(self, pid: int, told: Callable[[int, bytes], None]) -> Gate:
        raise BlockingIOError("no listener")


def start(command: str, door: GateDoor | None) -> GatedChild[CallGate]:
    return GatedChild([command, "60"], (), Coverage(), door, Holds().feed)


def test_a_gate_that_cannot_be_opened_leaves_nothing() -> None:
    with nothing_left(), pytest.raises(BlockingIOError, match="no listener"):
        start("sleep", Shut(Calls.WAITS))


def test_a_program_that_cannot_be_started_leaves_nothing() -> None:
    with nothing_left(), pytest.raises(DeviceUnavailable, match="none: cannot be run"):
        start("/none", CallDoor(POINTS))


def test_without_a_gate_nothing_is_held() -> None:
    with nothing_left():
        child = start("sleep", None)
        child.watch(lambda gate: CallGate(gate, (child.pid,)))
        child.check_gate()
        assert (child.gated, child.held()) == (None, frozenset())
        child.end()
