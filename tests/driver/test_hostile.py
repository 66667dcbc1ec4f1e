from __future__ import annotations

import pytest

from vblkfuzz.driver.hostile import BREAKS
from vblkfuzz.oracle.judge import judge
from vblkfuzz.process.guest import REST
from vblkfuzz.scenario.alphabet.guest import HOSTILE_CONTENTS
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.op import Op, op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.model import model
from vblkfuzz.trace.kinds import BROKEN, COLLECT, DRAIN_END, END, OP, STATUS_READ
from vblkfuzz.trace.trace import Trace
from vblkfuzz.virtio.layout import STATUS_NEEDS_RESET
from vblkfuzz.virtio.ring_error import (
    AddressError,
    AvailIdxJump,
    ChainLoops,
    HeadOutOfRange,
    IndirectLengthInvalid,
    IndirectNested,
    IndirectNotNegotiated,
    NextOutOfRange,
    ReadableAfterWritable,
    RequestHeaderShort,
    RequestStatusMissing,
    RingError,
    ZeroLength,
)

WITH_INDIRECT: dict[str, type[RingError]] = {
    "loop": ChainLoops,
    "head_out_of_range": HeadOutOfRange,
    "next_out_of_range": NextOutOfRange,
    "address_out_of_range": AddressError,
    "zero_length": ZeroLength,
    "huge_length": AddressError,
    "wrong_direction": ReadableAfterWritable,
    "short_header": RequestHeaderShort,
    "no_status": RequestStatusMissing,
    "nested_indirect": IndirectNested,
    "indirect_length": IndirectLengthInvalid,
    "avail_idx_jump": AvailIdxJump,
}
WITHOUT_INDIRECT = WITH_INDIRECT | {
    "nested_indirect": IndirectNotNegotiated,
    "indirect_length": IndirectNotNegotiated,
}
TABLE = [(True, *row) for row in WITH_INDIRECT.items()] + [
    (False, *row) for row in WITHOUT_INDIRECT.items()
]


def test_every_content_is_in_the_table() -> None:
    assert tuple(WITH_INDIRECT) == HOSTILE_CONTENTS
    assert len(BREAKS) == len(HOSTILE_CONTENTS)


def trace(device: str, scenario: Scenario) -> Trace:
    with model(device, "inline") as target:
        return target.run(scenario)


@pytest.mark.parametrize("device", ["reference", "patch-v4"])
@pytest.mark.parametrize(("indirect", "content", "error"), TABLE)
def test_each_content_gives_its_ring_error(
    device: str, indirect: bool, content: str, error: type[RingError]
) -> None:
    ops = (op("init"), op("publish_kick"), op("collect"), op("hostile", content=content))
    events = trace(device, Scenario(DeviceConfig(indirect=indirect), ops)).events
    assert [event.value for event in events if event.kind == BROKEN] == [error.code]
    assert events[-1].kind == END


@pytest.mark.parametrize("content", HOSTILE_CONTENTS)
def test_after_a_reset_the_device_serves_again(content: str) -> None:
    ops = (
        op("init"),
        op("hostile", content=content),
        op("init"),
        op("publish_kick"),
        op("collect"),
    )
    scenario = Scenario(ops=ops)
    found = trace("reference", scenario)
    collected = [event.flag for event in found.events if event.kind == COLLECT]
    assert collected == [0]
    assert judge(scenario, found).clean


@pytest.mark.parametrize("content", HOSTILE_CONTENTS)
def test_content_published_in_a_drain_breaks_the_device_after_the_drain(content: str) -> None:
    ops = (op("init"), op("drain_begin"), op("hostile", content=content), op("drain_end"))
    scenario = Scenario(ops=ops)
    found = trace("reference", scenario)
    kinds = [event.kind for event in found.events]
    assert kinds.index(BROKEN) > kinds.index(DRAIN_END)
    assert judge(scenario, found).clean


def looks(*ops: Op) -> list[tuple[int, int]]:
    """Status bits that the guest reads of a set-up device, with the operation it reads them in."""
    events = trace("reference", Scenario(ops=(op("init"), *ops))).events
    operation, found = 0, []
    for event in events:
        if event.kind == OP:
            operation = event.value if not event.head else REST
        elif event.kind == STATUS_READ and event.head:
            found.append((operation, event.value))
    return found


def test_a_driver_that_broke_the_protocol_looks_at_the_status_until_it_resets() -> None:
    broken = STATUS_NEEDS_RESET | 15
    hostile, collect = op("hostile", content="loop"), op("collect")
    assert looks(collect, hostile, collect, op("init"), collect) == [
        *((3, broken), (4, broken), (REST, 15))
    ]
    assert looks(hostile, op("reset"), op("init")) == [(2, broken), (REST, 15)]
    assert looks(op("reset"), op("init"), collect) == [(REST, 15)]
    assert looks(hostile) == [(REST, broken)]
