from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import given, settings

from tests.strategies import scenarios
from vblkfuzz.dataplane.revisions.patch_v4 import PatchV4
from vblkfuzz.dataplane.revisions.reference import Reference
from vblkfuzz.driver.memory_map import end_of
from vblkfuzz.limits import GUEST_MEMORY_SIZE, MAX_QUEUES
from vblkfuzz.process.arena import Arena
from vblkfuzz.process.execution import SharedParts, execute
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.kinds import COLLECT, END, OP, POP, PUBLISH, PUSH
from vblkfuzz.trace.ring import merge
from vblkfuzz.trace.trace import Trace


@pytest.fixture(scope="module")
def parts() -> Iterator[SharedParts]:
    made = SharedParts(Arena())
    yield made
    made.close()


def run(parts: SharedParts, scenario: Scenario, device_class: type[Reference | PatchV4]) -> Trace:
    ran = execute(parts, scenario, device_class, parts.inline_runner)
    return Trace(merge((parts.arena.guest_ring, parts.arena.device_ring)), ran.steps)


FULL = Scenario(
    DeviceConfig(queues=2), (op("init"), op("publish_kick", request="out"), op("collect"))
)


def test_an_execution_leaves_a_whole_trace(parts: SharedParts) -> None:
    trace = run(parts, FULL, Reference)
    assert trace.steps > 0
    assert trace.events[-1].kind == END
    kinds = {event.kind for event in trace.events}
    assert {OP, PUBLISH, POP, PUSH, COLLECT} <= kinds


def test_an_earlier_execution_does_not_change_the_trace(parts: SharedParts) -> None:
    first = run(parts, FULL, Reference).digest
    dirty = (op("init"), op("hold"), op("publish_kick"), op("hostile"), op("drain_begin"))
    run(parts, Scenario(DeviceConfig(queues=4, iothreads=2), dirty), PatchV4)
    assert run(parts, FULL, Reference).digest == first


@settings(max_examples=50)
@given(dirty=scenarios(max_ops=10), scenario=scenarios(max_ops=10))
def test_executions_are_independent(
    parts: SharedParts, dirty: Scenario, scenario: Scenario
) -> None:
    first = run(parts, scenario, PatchV4).digest
    run(parts, dirty, PatchV4)
    assert run(parts, scenario, PatchV4).digest == first


@settings(max_examples=50)
@given(scenario=scenarios(max_ops=12))
def test_only_the_queues_of_the_device_use_guest_memory(
    parts: SharedParts, scenario: Scenario
) -> None:
    end = end_of(scenario.device.queues)
    parts.arena.memory.bytes[end:] = b"\xa5" * (GUEST_MEMORY_SIZE - end)
    parts.arena.coverage[:] = b"\x5a" * len(parts.arena.coverage)
    for device_class in (PatchV4, Reference):
        run(parts, scenario, device_class)
        assert not any(parts.arena.memory.bytes[end:])
        assert set(parts.arena.coverage) == {0x5A}


def test_power_on_is_the_state_before_any_execution(parts: SharedParts) -> None:
    run(parts, FULL, Reference)
    parts.kicks[0].set()
    parts.power_on(MAX_QUEUES)
    assert not any(parts.arena.registers.words)
    assert not any(parts.arena.memory.bytes)
    assert not any(each.is_open or each.is_set() for each in (*parts.kicks, *parts.calls))
    assert merge((parts.arena.guest_ring, parts.arena.device_ring)) == ()


def test_closing_closes_every_descriptor() -> None:
    parts = SharedParts(Arena())
    fds = list(parts.fds)
    assert len(fds) == 8
    parts.close()
    parts.close()
    for fd in fds:
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(fd)
