"""A scenario for each check that the reference makes of a request (virtio 1.2, 2.7, 5.2.6)."""

from __future__ import annotations

import pytest

from vblkfuzz.executor import run_scenario
from vblkfuzz.scenario.alphabet.guest import HOSTILE_CONTENTS
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.op import Op, op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.model import model
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.kinds import BROKEN, CANCEL, COLLECT
from vblkfuzz.virtio.ring_error import RING_ERRORS

OK, IOERR, UNSUPP = 0, 2, 3
"""Flags of COLLECT."""
PLAIN, READ_ONLY = DeviceConfig(), DeviceConfig(read_only=True)


def request(name: str, **arguments: int | str) -> Op:
    return op("publish_kick", request=name, **arguments)


ANSWERS: dict[str, tuple[int, Op]] = {
    "write in range": (OK, request("out", sector=60, sectors=4)),
    "write beyond the end": (IOERR, request("out", sector=61, sectors=4)),
    "read beyond the end": (IOERR, request("in", sector=200)),
    "length of no whole sectors": (IOERR, request("in", shape="odd_length")),
    "sector 2^64-1": (IOERR, request("out", shape="far_sector")),
    "sector 2^55": (IOERR, request("in", shape="wrapping_sector")),
    "discard in range": (OK, request("discard", sector=60, sectors=4)),
    "discard beyond the end": (IOERR, request("discard", sector=61, sectors=4)),
    "zeroes beyond the end": (IOERR, request("write_zeroes", sector=63, sectors=2)),
    "2^32-1 sectors": (IOERR, request("discard", shape="huge_segment")),
    "discard with unmap": (UNSUPP, request("discard", shape="unmap")),
    "zeroes with unmap": (OK, request("write_zeroes", shape="unmap")),
    "unknown flag": (UNSUPP, request("write_zeroes", shape="reserved_flag")),
    "two segments": (UNSUPP, request("discard", shape="two_segments")),
    "unknown type": (UNSUPP, request("unsupported")),
}
READ_ONLY_ANSWERS = {"out": IOERR, "discard": IOERR, "write_zeroes": IOERR, "in": OK, "flush": OK}
BREAKS = {
    "loop": "ChainLoops",
    "head_out_of_range": "HeadOutOfRange",
    "next_out_of_range": "NextOutOfRange",
    "address_out_of_range": "AddressError",
    "zero_length": "ZeroLength",
    "huge_length": "AddressError",
    "wrong_direction": "ReadableAfterWritable",
    "short_header": "RequestHeaderShort",
    "no_status": "RequestStatusMissing",
    "nested_indirect": "IndirectNested",
    "indirect_length": "IndirectLengthInvalid",
    "avail_idx_jump": "AvailIdxJump",
}
"""What is wrong with each hostile content, if the driver uses indirect descriptors."""
NOT_NEGOTIATED = {"nested_indirect", "indirect_length"}


def events(kind: int, *ops: Op, device: DeviceConfig = PLAIN) -> list[Event]:
    """Run operations on the reference, where nothing may be wrong; return the events of a kind."""
    with model("reference", "inline") as target:
        ran = run_scenario(target, Scenario(device, (op("init"), *ops, op("collect"))))
    assert ran.verdict.clean, ran.verdict.violations
    return [event for event in ran.trace.events if event.kind == kind]


@pytest.mark.parametrize("name", ANSWERS)
def test_a_request_is_answered(name: str) -> None:
    flag, one = ANSWERS[name]
    assert [event.flag for event in events(COLLECT, one)] == [flag]


@pytest.mark.parametrize("name", READ_ONLY_ANSWERS)
def test_a_read_only_disk(name: str) -> None:
    found = events(COLLECT, request(name), device=READ_ONLY)
    assert [event.flag for event in found] == [READ_ONLY_ANSWERS[name]]


@pytest.mark.parametrize("indirect", [False, True])
@pytest.mark.parametrize("content", HOSTILE_CONTENTS)
def test_a_chain_that_breaks_the_device(content: str, indirect: bool) -> None:
    (broken,) = events(
        BROKEN, op("hostile", content=content), device=DeviceConfig(indirect=indirect)
    )
    refused = content in NOT_NEGOTIATED and not indirect
    right = "IndirectNotNegotiated" if refused else BREAKS[content]
    assert RING_ERRORS[broken.value].__name__ == right


def test_a_request_that_ends_after_the_device_has_broken_is_dropped() -> None:
    dropped = events(
        CANCEL, op("hold"), request("in"), op("hostile", content="loop"), op("release")
    )
    assert [event.request for event in dropped] == [1]
