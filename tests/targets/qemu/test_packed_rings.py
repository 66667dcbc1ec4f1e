"""Packed rings on real QEMU: a guest sees what it sees on split ones, and so do the rules."""

from __future__ import annotations

import pytest

from tests.dataplane.ring_outcome import on, stories, unordered
from tests.targets.both_rings import Compared, compare
from tests.targets.qemu.binary import NEEDS_QEMU
from vblkfuzz.executor import Execution, run_scenario
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.op import Op, op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.qemu.rings_at_zero import QemuTarget
from vblkfuzz.trace.ending import ENDED_OK
from vblkfuzz.trace.kinds import COLLECT, DRIVER_INIT, ENABLE_READ, POP, PUSH

pytestmark = [pytest.mark.realdevice, NEEDS_QEMU]

INIT, COLLECTS = op("init"), op("collect")
READ = op("publish_kick", request="in", sector=3)
WRITE = op("publish_kick", request="out", sector=3)
SERVED = WRITE, COLLECTS, READ, COLLECTS
TAKEN, USED = 3, 4
"""Flags of an ENABLE_READ."""


def run(target: QemuTarget, *ops: Op, **fields: bool | int | str) -> Execution:
    config = DeviceConfig(ring="packed", **fields)  # type: ignore[arg-type]  # any field
    return run_scenario(target, Scenario(config, ops))


def count(execution: Execution, kind: int) -> int:
    return sum(event.kind == kind for event in execution.trace.events)


def test_the_guest_sees_the_same(target: QemuTarget) -> None:
    """More of them: tests/soak/packed.py."""
    seen = Compared()
    for scenario in stories(seed=3, count=15):
        compare(target, scenario, seen)
    assert seen.different == []
    assert seen.requests > 10


def test_several_laps_with_chains_of_several_lengths(target: QemuTarget) -> None:
    """And all that begins a ring anew, or goes on with it elsewhere."""
    moves = ("save", "restore"), ("queue_reset",), ("replug", "init"), ("system_reset", "init")
    ops = [INIT, *SERVED * 3]
    for move in moves:
        ops += *map(op, move), *SERVED
    execution = run(target, *ops, queue_size=4)
    assert execution.verdict.clean
    seen = [each for each in execution.trace.events if each.kind == COLLECT]
    assert [each.flag for each in seen] == [ENDED_OK] * 14
    assert count(execution, POP) == count(execution, PUSH) == 14
    assert {each.length for each in execution.trace.events if each.kind == POP} == {3}


@pytest.mark.parametrize("event_idx", [False, True])
def test_wishes_for_calls_and_several_queues(target: QemuTarget, event_idx: bool) -> None:
    wishes = op("set_used_event", ahead=1), op("suppress_calls", on="yes"), op("set_used_event")
    two = op("publish_kick", queue=1), op("publish", queue=1), op("collect", queue=1)
    ops = INIT, *wishes[:2], READ, WRITE, *two, COLLECTS, wishes[2], *SERVED
    scenario = Scenario(DeviceConfig(queues=2, event_idx=event_idx, indirect=True), ops)
    split, packed = (run_scenario(target, on(ring, scenario)) for ring in ("split", "packed"))
    assert packed.verdict.clean
    assert unordered(packed.trace) == unordered(split.trace)


def test_a_driver_that_does_not_negotiate_uses_a_split_ring(target: QemuTarget) -> None:
    execution = run(target, INIT, READ, COLLECTS, op("init", how="no_features"), READ, COLLECTS)
    assert execution.verdict.clean
    events = execution.trace.events
    ends = [event.length for event in events if event.kind == DRIVER_INIT and event.flag]
    assert ends == [1, 0]
    assert [event.length for event in events if event.kind == POP] == [3, 0]


def test_the_device_counts_descriptors(target: QemuTarget) -> None:
    execution = run(target, INIT, *SERVED, op("snapshot"), queue_size=4)
    assert execution.verdict.clean
    counts = {e.flag: e.value for e in execution.trace.events if e.kind == ENABLE_READ}
    assert counts[TAKEN] == counts[USED] == 6 % 4
    assert "queue_counts_read" in execution.verdict.situations


@pytest.mark.parametrize("content", ["address_out_of_range", "head_out_of_range", "short_header"])
def test_hostile_contents(target: QemuTarget, content: str) -> None:
    """QEMU serves a buffer id beyond the queue size. Others make its handler spin (7.2)."""
    execution = run(
        target, INIT, READ, COLLECTS, op("hostile", content=content), COLLECTS, INIT, READ
    )
    assert execution.verdict.clean
    assert execution.trace.events[-1].value == 0, "nothing is in flight"
    assert count(execution, COLLECT) >= 2


def test_a_reset_in_a_drained_section_is_found(target: QemuTarget) -> None:
    section = op("mirror_begin"), WRITE, op("reset"), op("mirror_finish")
    for iothreads in (0, 1):
        execution = run(target, INIT, *section, iothreads=iothreads)
        assert "s1-reset" in [each.signature for each in execution.verdict.violations]
    control = run(target, INIT, WRITE, op("reset"))
    assert control.verdict.clean


def test_virtio_scsi(target: QemuTarget) -> None:
    kind = target.kind
    target.kind = None
    try:
        execution = run(target, INIT, *SERVED * 3, kind="scsi", queue_size=4)
    finally:
        target.kind = kind
    assert execution.verdict.clean
    assert count(execution, POP) == 6
    assert {each.length for each in execution.trace.events if each.kind == POP} == {3}
