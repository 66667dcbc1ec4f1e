"""The model and its guest on packed rings: all is as on split ones, except where it cannot be."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.dataplane.ring_outcome import on, outcome, stories
from tests.dataplane.test_defects import story
from vblkfuzz.dataplane.defects import DEFECTS
from vblkfuzz.oracle.judge import judge
from vblkfuzz.scenario.alphabet.guest import HOSTILE_CONTENTS
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.op import Op, op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.model import model
from vblkfuzz.targets.target import Target
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.kinds import BROKEN, COLLECT, END, IRQ, KICK, POP, PUSH, RESUMED, RETRY
from vblkfuzz.trace.trace import Trace
from vblkfuzz.virtio.packed.device_queue import DeviceQueue
from vblkfuzz.virtio.ring_error import (
    AddressError,
    ChainLoops,
    DescriptorNotAvailable,
    HeadOutOfRange,
    IndirectLengthInvalid,
    IndirectNotNegotiated,
    ReadableAfterWritable,
    RequestHeaderShort,
    RequestStatusMissing,
    RingError,
    ZeroLength,
)

INIT, SEND, COLLECTS = op("init"), op("publish_kick"), op("collect")


@pytest.fixture(scope="module")
def reference() -> Iterator[Target]:
    with model("reference", "inline") as target:
        yield target


def packed(*ops: Op, **fields: bool | int | str) -> Scenario:
    return Scenario(DeviceConfig(ring="packed", **fields), ops)  # type: ignore[arg-type]  # any field


def events(trace: Trace, *kinds: int) -> list[Event]:
    return [event for event in trace.events if event.kind in kinds]


def test_the_guest_sees_the_same(reference: Target) -> None:
    """More of them: tests/soak/packed.py."""
    ended = 0
    for scenario in stories(seed=2, count=50):
        split, other = (reference.run(on(ring, scenario)) for ring in ("split", "packed"))
        assert outcome(split) == outcome(other)
        assert judge(on("packed", scenario), other).clean
        ended += len(events(other, COLLECT))
    assert ended > 50


def test_a_pop_says_how_many_descriptors_it_took(reference: Target) -> None:
    ops = INIT, SEND, op("publish_kick", request="flush"), COLLECTS
    for indirect, lengths in ((False, [3, 2]), (True, [1, 1])):
        trace = reference.run(packed(*ops, indirect=indirect))
        assert [event.length for event in events(trace, POP)] == lengths
        plain = reference.run(Scenario(DeviceConfig(indirect=indirect), ops))
        assert {event.length for event in events(plain, POP)} == {0}


@pytest.mark.parametrize("event_idx", [False, True])
def test_positions_count_chains(reference: Target, event_idx: bool) -> None:
    ops = (INIT, *(SEND, COLLECTS) * 9)
    trace = reference.run(packed(*ops, event_idx=event_idx, first_index=0xFFFF))
    values = [event.value for event in events(trace, POP)]
    assert values == list(range(9))
    assert [event.value for event in events(trace, PUSH, KICK)] == sorted([*values, *values])


def test_a_driver_that_does_not_negotiate_uses_a_split_ring(reference: Target) -> None:
    scenario = packed(INIT, SEND, op("init", how="no_features"), SEND, COLLECTS, INIT, SEND)
    trace = reference.run(scenario)
    assert [event.length for event in events(trace, POP)] == [3, 0, 3]
    assert judge(scenario, trace).clean


@pytest.mark.parametrize(
    ("wishes", "calls"),
    [
        ((), 3),
        ((op("suppress_calls", on="yes"),), 0),
        ((op("suppress_calls", on="yes"), op("suppress_calls", on="no")), 3),
        ((op("set_used_event", ahead=0),), 1),
        ((op("set_used_event", ahead=5),), 1),
        ((op("set_used_event", ahead=9),), 0),
        ((op("set_used_event", ahead=9), op("suppress_calls", on="no")), 3),
    ],
)
def test_calls(reference: Target, wishes: tuple[Op, ...], calls: int) -> None:
    """A request takes three descriptors; the place of a wish is a descriptor."""
    scenario = packed(INIT, SEND, COLLECTS, *wishes, SEND, SEND, SEND, queue_size=16)
    trace = reference.run(scenario)
    assert len(events(trace, IRQ)) == 1 + calls
    assert judge(scenario, trace).clean


class _NeverCalls(DeviceQueue):
    def should_call(self) -> bool:
        super().should_call()
        return False


@pytest.mark.parametrize(
    ("wishes", "lost"),
    [
        ((), True),
        ((op("suppress_calls", on="yes"),), False),
        ((op("set_used_event", ahead=2),), True),
        ((op("set_used_event", ahead=3),), False),
    ],
)
def test_a_lost_call_is_found(
    monkeypatch: pytest.MonkeyPatch, wishes: tuple[Op, ...], lost: bool
) -> None:
    from vblkfuzz.dataplane.revisions import REVISIONS

    monkeypatch.setattr(REVISIONS["reference"], "packed_queue", _NeverCalls)
    scenario = packed(INIT, *wishes, SEND)
    with model("reference", "inline") as target:
        verdict = judge(scenario, target.run(scenario))
    assert [each.rule for each in verdict.violations] == ["L4"] * lost


ERRORS: dict[str, type[RingError]] = {
    "loop": ChainLoops,
    "head_out_of_range": HeadOutOfRange,
    "next_out_of_range": DescriptorNotAvailable,
    "address_out_of_range": AddressError,
    "zero_length": ZeroLength,
    "huge_length": AddressError,
    "wrong_direction": ReadableAfterWritable,
    "short_header": RequestHeaderShort,
    "no_status": RequestStatusMissing,
    "nested_indirect": RequestStatusMissing,
    "indirect_length": IndirectLengthInvalid,
    "avail_idx_jump": ZeroLength,
}
NOT_NEGOTIATED = dict.fromkeys(("nested_indirect", "indirect_length"), IndirectNotNegotiated)


@pytest.mark.parametrize("indirect", [False, True])
@pytest.mark.parametrize("content", HOSTILE_CONTENTS)
def test_hostile_contents(reference: Target, content: str, indirect: bool) -> None:
    hostile = op("hostile", content=content)
    error = ERRORS[content] if indirect else NOT_NEGOTIATED.get(content, ERRORS[content])
    scenario = packed(INIT, SEND, COLLECTS, hostile, INIT, SEND, COLLECTS, indirect=indirect)
    trace = reference.run(scenario)
    assert [event.value for event in events(trace, BROKEN)] == [error.code]
    assert [event.flag for event in events(trace, COLLECT)] == [0, 0]
    assert judge(scenario, trace).clean


@pytest.mark.parametrize("content", HOSTILE_CONTENTS)
def test_hostile_contents_beside_requests_in_use(reference: Target, content: str) -> None:
    held = op("hold"), SEND, SEND, op("hostile", content=content), op("publish_again")
    scenario = packed(INIT, *held, op("release"), COLLECTS, queue_size=16)
    trace = reference.run(scenario)
    assert len(events(trace, BROKEN)) == 1
    assert judge(scenario, trace).clean


FAMILIES = ("drains", "reset", "parking", "start_stop", "failed_start", "doors", "outcomes")


@pytest.mark.parametrize(
    "name",
    [
        name
        for name, defect in DEFECTS.items()
        if defect.mixins[0].__module__.rpartition(".")[2] in FAMILIES
    ],
)
def test_defects_of_drains_and_resets_are_found(name: str) -> None:
    scenario = on("packed", story(name).scenario)
    with model(f"reference+{name}", "inline") as target:
        trace = target.run(scenario)
    assert {each.rule for each in judge(scenario, trace).violations} == set(DEFECTS[name].rules)
    assert trace.events[-1].kind == END


@pytest.mark.parametrize("rounds", [1, 3, 6])
@pytest.mark.parametrize("indirect", [False, True])
def test_a_restored_device_goes_on(reference: Target, rounds: int, indirect: bool) -> None:
    """In either lap, with a request that waits for `cont` and takes several descriptors."""
    waits = op("hold"), SEND, op("complete", result="eio"), op("release")
    moved = *waits, op("save"), op("restore"), op("cont"), COLLECTS
    ops = (INIT, *(SEND, COLLECTS) * rounds, *moved, *(SEND, COLLECTS) * 3)
    scenario = packed(*ops, indirect=indirect, queue_size=4, rerror="stop")
    trace = reference.run(scenario)
    assert judge(scenario, trace).clean
    assert len(events(trace, RETRY)) == len(events(trace, RESUMED)) == 1
    assert [event.flag for event in events(trace, COLLECT)] == [0] * (rounds + 4)


def test_a_device_that_was_reset_from_outside_is_given_no_packed_ring(reference: Target) -> None:
    """It takes rings for split ones until the driver has negotiated again."""
    ops = ("init", "power_loss", "publish", "queue_reset", "publish_kick")
    device = DeviceConfig(ring="packed", event_idx=False, iothreads=0, first_index=0xFFF8)
    scenario = Scenario(device, tuple(map(op, ops)))
    trace = reference.run(scenario)
    assert judge(scenario, trace).violations == ()
    assert POP not in [event.kind for event in trace.events]
