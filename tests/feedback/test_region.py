"""The coverage region, and the state features that a trace marks in it."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest
from hypothesis import given, settings

from tests.cli.conftest import BUG, CLEAN
from tests.strategies import scenarios
from vblkfuzz.feedback.region import Region
from vblkfuzz.limits import COVERAGE_EDGES, COVERAGE_SIZE
from vblkfuzz.scenario.codec import encode
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.model import model
from vblkfuzz.trace import kinds
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.kinds import COLLECT, DRAIN_CALL, DRAIN_END, KICK, PARK, POLL_BEGIN
from vblkfuzz.trace.trace import Trace


def trace_of(scenario: Scenario) -> Trace:
    with model("patch-v4", "inline") as target:
        return target.run(scenario)


def marks(trace: Trace) -> bytes:
    view = memoryview(bytearray(COVERAGE_SIZE))
    Region(view).mark_states(trace)
    return bytes(view)


@settings(max_examples=30)
@given(scenarios(max_ops=12))
def test_equal_traces_give_equal_marks_and_mark_no_blocks(scenario: Scenario) -> None:
    found = marks(trace_of(scenario))
    assert found == marks(trace_of(scenario))
    assert set(found) <= {0, 1}
    assert not any(found[:COVERAGE_EDGES])


def test_a_drained_section_is_a_state() -> None:
    assert marks(trace_of(BUG)) != marks(trace_of(CLEAN))


def marks_of(*events: Event) -> set[int]:
    return {place for place, mark in enumerate(marks(Trace(events))) if mark}


def event(kind: int, flag: int = 0) -> Event:
    return Event(1, kind, flag=flag)


POP, SUBMIT = event(kinds.POP), event(kinds.SUBMIT)


def test_the_value_of_a_counter_is_no_feature() -> None:
    """Otherwise every longer input would have new features."""
    assert marks_of(SUBMIT, SUBMIT, POP) == marks_of(SUBMIT, SUBMIT, SUBMIT, POP)
    assert marks_of(SUBMIT, POP) != marks_of(POP, SUBMIT)


@pytest.mark.parametrize("kind", [DRAIN_CALL, POLL_BEGIN, PARK])
def test_the_same_event_in_another_state_is_another_feature(kind: int) -> None:
    assert len(marks_of(POP, event(kind), POP)) == 3
    assert len(marks_of(POP, POP)) == 1


def test_a_suppressed_kick_is_another_feature() -> None:
    assert marks_of(event(KICK, 0)) != marks_of(event(KICK, 1))


def test_only_the_lowest_bit_of_a_flag_matters() -> None:
    """A failed request (2) has the same feature as one that succeeded (0)."""
    assert marks_of(event(COLLECT, 0)) == marks_of(event(COLLECT, 2))
    assert marks_of(event(COLLECT, 1)) == marks_of(event(COLLECT, 3))


def test_an_end_without_a_begin_gives_a_state_too() -> None:
    """A trace of a real device, or a broken one, may begin in any state."""
    assert len(marks_of(event(DRAIN_END), POP, event(DRAIN_CALL), POP)) == 4


SCRIPT = """
    import sys
    from vblkfuzz.feedback.region import Region
    from vblkfuzz.scenario.codec import decode
    from vblkfuzz.targets.model import model
    view = memoryview(bytearray(8192))
    with model("patch-v4", "inline") as target:
        Region(view).mark_states(target.run(decode(bytes.fromhex(sys.argv[1]))))
    print(view.hex())
"""


def test_marks_are_the_same_in_every_process() -> None:
    """No hash may depend on the process: a campaign must be repeatable."""
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SCRIPT), encode(BUG).hex()],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "7"},
    )
    assert bytes.fromhex(ended.stdout) == marks(trace_of(BUG))


def test_features_add_up_over_executions() -> None:
    view = memoryview(bytearray(COVERAGE_SIZE))
    region = Region(view)
    view[3] = 1
    assert region.count(region.features) == 1
    view[3] = 0  # libFuzzer clears it
    view[4] = 1
    assert region.count(region.features) == 2
    view[4] = 0
    assert region.count(region.features) == 2
