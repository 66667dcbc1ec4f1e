"""The states computed from a trace are those of the machine that wrote it."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings

from tests.strategies import scenarios
from tests.triage.stories import RESET_IN_DRAIN, SIGNATURE, run
from vblkfuzz.dataplane.machine import Machine
from vblkfuzz.dataplane.revisions import REVISIONS
from vblkfuzz.limits import FIRST_INDICES
from vblkfuzz.process.arena import Arena
from vblkfuzz.process.execution import SharedParts
from vblkfuzz.process.guest import GuestActor
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.schedule.turnstile import Turnstile
from vblkfuzz.trace.event import NO_QUEUE, ActorId, Event
from vblkfuzz.trace.kinds import ATTACH, DRAIN_CALL, DRAIN_END, DRAIN_RET, NOTIFICATION, POLL_BEGIN
from vblkfuzz.trace.ring import merge
from vblkfuzz.triage.timeline import QueueState, State, states


def machine_after(parts: SharedParts, scenario: Scenario) -> Machine:
    """Run a scenario as `process.execution.execute` does, and keep the machine."""
    parts.power_on(scenario.device.queues)
    machine = Machine(parts.board, scenario.device, REVISIONS["reference"])
    runner = parts.inline_runner(scenario.device, scenario.ops)
    guest = GuestActor(runner, machine.guest_may_run)
    Turnstile(scenario, machine, guest, parts.board.ring).run()
    return machine


@settings(max_examples=60)
@given(scenarios())
def test_the_last_state_is_that_of_the_machine(scenario: Scenario) -> None:
    """The first index of a ring that was never used is not in the trace, so it is not compared."""
    scenario = replace(scenario, device=replace(scenario.device, first_index=0))
    arena = Arena()
    parts = SharedParts(arena)
    try:
        machine = machine_after(parts, scenario)
        state = states(merge((arena.guest_ring, arena.device_ring)))[-1]
        assert state.quiesce_counter == machine.blk.quiesce_counter
        assert state.at("parked") == sorted(held.serial for held in machine.blk.parked)
        assert state.at("retry") == sorted(one.serial for one in machine.device.retry_list)
        assert state.vm_running == machine.vm_running
        assert state.epoch == machine.device.epoch
        for found, port in zip(state.queues, machine.device.ports, strict=False):
            # A ring that is not ready has no indices; a pop that breaks the device has no event.
            if port.queue.ready and not machine.device.broken:
                assert (found.taken, found.used) == (port.queue.last_avail, port.queue.used_idx)
            assert found.wants_kicks == port.queue.notification
            assert found.notifier_open == port.notifier.is_open
    finally:
        parts.close()


def test_a_state_for_each_event() -> None:
    events = run(RESET_IN_DRAIN).trace.events
    assert len(states(events)) == len(events)


def test_the_story_of_a_reset_in_a_drain() -> None:
    execution = run(RESET_IN_DRAIN)
    events = execution.trace.events
    (violation,) = [one for one in execution.verdict.violations if one.signature == SIGNATURE]
    found = states(events)
    at_clash = found[events.index(violation.second)]
    assert (at_clash.drained, at_clash.quiesce_counter) == (True, 1)
    assert at_clash.queues[0].attached_to is None
    assert (at_clash.queues[0].avail, at_clash.queues[0].taken) == (1, 1)
    parked = next(state for state in found if state.at("parked"))
    assert parked.at("parked") == [1]
    assert (found[-1].drained, found[-1].quiesce_counter) == (False, 0)


def test_rings_may_begin_anywhere() -> None:
    scenario = Scenario(DeviceConfig(first_index=FIRST_INDICES[-1]), RESET_IN_DRAIN.ops)
    found = states(run(scenario, "reference").trace.events)
    first = FIRST_INDICES[-1]
    assert first != 0
    assert found[0].queues[0] == QueueState(first, first, first)
    assert {state.queues[0].avail for state in found} == {first, (first + 1) & 0xFFFF}


def test_a_polled_queue_wants_no_kicks() -> None:
    events = (
        Event(1, ATTACH, queue=1, value=ActorId.IO0),
        Event(1, POLL_BEGIN, queue=1),
        Event(1, NOTIFICATION, queue=1, flag=0),
    )
    first, *_, last = states(events)
    assert first.queues == (QueueState(), QueueState(attached_to=ActorId.IO0))
    assert last.queues[1] == QueueState(attached_to=ActorId.IO0, polled=True, wants_kicks=False)


def test_a_drained_section_begins_when_the_drain_has_returned() -> None:
    kinds = ((DRAIN_CALL, 1), (DRAIN_RET, 0), (DRAIN_END, 0))
    events = [Event(1, kind, queue=NO_QUEUE, value=value) for kind, value in kinds]
    assert [state.drained for state in states(events)] == [False, True, False]


def test_an_event_of_a_later_version_changes_nothing() -> None:
    assert states([Event(1, 255)]) == [State((QueueState(),))]
