"""A device process that owns its gate: nothing is left if the gate cannot be opened."""

from __future__ import annotations

from collections.abc import Callable, Iterator

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


@pytest.fixture
def coverage() -> Iterator[Coverage]:
    with nothing_left():
        coverage = Coverage()
        yield coverage
        coverage.close()


def start(command: str, door: GateDoor | None, coverage: Coverage) -> GatedChild[CallGate]:
    return GatedChild([command, "60"], (), coverage, door, Holds().feed)


def test_a_gate_that_cannot_be_opened_leaves_nothing(coverage: Coverage) -> None:
    with pytest.raises(BlockingIOError, match="no listener"):
        start("sleep", Shut(Calls.WAITS), coverage)


def test_a_program_that_cannot_be_started_leaves_nothing(coverage: Coverage) -> None:
    with pytest.raises(DeviceUnavailable, match="none: cannot be run"):
        start("/none", CallDoor(POINTS), coverage)


def test_without_a_gate_nothing_is_held(coverage: Coverage) -> None:
    child = start("sleep", None, coverage)
    child.watch(lambda gate: CallGate(gate, (child.pid,)))
    child.check_gate()
    assert (child.gated, child.held()) == (None, frozenset())
    child.end()
