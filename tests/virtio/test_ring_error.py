"""For each rule a driver breaks it, and exactly the error of that rule is raised."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pytest

from vblkfuzz.virtio.chain import MAX_CHAIN_LENGTH, Chain
from vblkfuzz.virtio.layout import (
    DESC_F_INDIRECT,
    DESC_F_NEXT,
    DESC_F_WRITE,
    DESCRIPTOR,
    RingLayout,
)
from vblkfuzz.virtio.memory import GuestMemory
from vblkfuzz.virtio.packed import layout as packed
from vblkfuzz.virtio.packed.device_queue import DeviceQueue as PackedDeviceQueue
from vblkfuzz.virtio.request.blk import parse_request
from vblkfuzz.virtio.ring_error import (
    RING_ERRORS,
    AddressError,
    AvailIdxJump,
    ChainLoops,
    ChainTooLong,
    DescriptorNotAvailable,
    HeadOutOfRange,
    IndirectLengthInvalid,
    IndirectNested,
    IndirectNotNegotiated,
    IndirectOutside,
    IndirectWithNext,
    NextOutOfRange,
    QueueSizeExceeded,
    ReadableAfterWritable,
    RequestHeaderMissing,
    RequestHeaderShort,
    RequestStatusMissing,
    RingError,
    RingMisaligned,
    RingOutside,
    RingSizeInvalid,
    ZeroLength,
)
from vblkfuzz.virtio.split.device_queue import DeviceQueue
from vblkfuzz.virtio.split.driver_queue import DriverQueue

MEMORY_SIZE: Final = 1 << 16
TABLE: Final = 8192
"""Guest address of indirect tables: room for more than MAX_CHAIN_LENGTH descriptors."""
DATA: Final = 4096


class Pair:
    """Both ends of a ring of four entries, and shortcuts to break its rules."""

    def __init__(self, indirect: bool = True) -> None:
        self.memory = GuestMemory(memoryview(bytearray(MEMORY_SIZE)))
        layout = RingLayout.place(4, 0)
        self.driver = DriverQueue(self.memory, layout, event_idx=False)
        self.device = DeviceQueue(self.memory, 0)
        self.device.set_up(layout, event_idx=False, indirect=indirect)

    def pop(self, *descriptors: tuple[int, int, int, int], head: int = 0) -> Chain | None:
        """Write these descriptors from 0 on, publish `head`, and pop it."""
        for index, descriptor in enumerate(descriptors):
            self.driver.write_descriptor(index, *descriptor)
        self.driver.publish_raw(head)
        return self.device.pop()

    def pop_table(self, *descriptors: tuple[int, int, int, int]) -> Chain | None:
        """As `pop`, with the descriptors in an indirect table."""
        for index, descriptor in enumerate(descriptors):
            DESCRIPTOR.pack_into(self.memory.bytes, TABLE + 16 * index, *descriptor)
        return self.pop((TABLE, 16 * len(descriptors), DESC_F_INDIRECT, 0))

    def request(self, *segments: tuple[int, int]) -> None:
        """Parse a request with segments of the given (length, flags)."""
        chain = self.pop_table(
            *[
                (DATA, length, flags | (DESC_F_NEXT if after else 0), position + 1)
                for position, (length, flags) in enumerate(segments)
                for after in [position + 1 < len(segments)]
            ]
        )
        assert chain is not None
        parse_request(self.memory, chain)


def fill_and_exceed() -> None:
    pair = Pair()
    for _ in range(5):
        pair.pop((DATA, 1, 0, 0))


def underflow() -> None:
    pair = Pair()
    assert pair.device.push(0, 0)
    pair.pop((DATA, 1, 0, 0))


def jump(by: int) -> None:
    pair = Pair()
    pair.driver.jump_avail_idx(by)
    pair.device.pop()


def set_up(layout: RingLayout) -> None:
    DeviceQueue(Pair().memory, 0).set_up(layout, event_idx=False, indirect=False)


def long_table() -> None:
    count = MAX_CHAIN_LENGTH + 1
    Pair().pop_table(*[(DATA, 1, DESC_F_NEXT, index + 1) for index in range(count)])


def packed_chain_without_end() -> None:
    memory = GuestMemory(memoryview(bytearray(MEMORY_SIZE)))
    layout = packed.RingLayout.place(4, 0)
    memory.write(0, packed.DESCRIPTOR.pack(DATA, 1, 0, packed.DESC_F_AVAIL | DESC_F_NEXT))
    device = PackedDeviceQueue(memory, 0)
    device.set_up(layout, event_idx=False, indirect=False)
    device.pop()


Trigger = Callable[[], object]
TRIGGERS: Final[list[tuple[type[RingError], Trigger]]] = [
    (HeadOutOfRange, lambda: Pair().pop(head=4)),
    (HeadOutOfRange, lambda: Pair().pop(head=0xFFFF)),
    (NextOutOfRange, lambda: Pair().pop((DATA, 1, DESC_F_NEXT, 4))),
    (NextOutOfRange, lambda: Pair().pop_table((DATA, 1, DESC_F_NEXT, 1))),
    (ChainLoops, lambda: Pair().pop((DATA, 1, DESC_F_NEXT, 0))),
    (ChainLoops, lambda: Pair().pop((DATA, 1, DESC_F_NEXT, 1), (DATA, 1, DESC_F_NEXT, 0))),
    (ChainLoops, lambda: Pair().pop_table((DATA, 1, DESC_F_NEXT, 0))),
    (ChainTooLong, long_table),
    (ZeroLength, lambda: Pair().pop((DATA, 0, 0, 0))),
    (ZeroLength, lambda: Pair().pop_table((DATA, 0, DESC_F_WRITE, 0))),
    (AddressError, lambda: Pair().pop((MEMORY_SIZE, 1, 0, 0))),
    (AddressError, lambda: Pair().pop((MEMORY_SIZE - 1, 2, DESC_F_WRITE, 0))),
    (AddressError, lambda: Pair().pop((0xFFFF_FFFF_FFFF_FFFF, 1, 0, 0))),
    (AddressError, lambda: Pair().pop((0, 0xFFFF_FFFF, 0, 0))),
    (
        ReadableAfterWritable,
        lambda: Pair().pop((DATA, 1, DESC_F_WRITE | DESC_F_NEXT, 1), (DATA, 1, 0, 0)),
    ),
    (IndirectNested, lambda: Pair().pop_table((TABLE, 16, DESC_F_INDIRECT, 0))),
    (IndirectLengthInvalid, lambda: Pair().pop((TABLE, 0, DESC_F_INDIRECT, 0))),
    (IndirectLengthInvalid, lambda: Pair().pop((TABLE, 24, DESC_F_INDIRECT, 0))),
    (IndirectOutside, lambda: Pair().pop((MEMORY_SIZE - 16, 32, DESC_F_INDIRECT, 0))),
    (IndirectOutside, lambda: Pair().pop((1 << 63, 16, DESC_F_INDIRECT, 0))),
    (IndirectNotNegotiated, lambda: Pair(indirect=False).pop((TABLE, 16, DESC_F_INDIRECT, 0))),
    (IndirectWithNext, lambda: Pair().pop((TABLE, 16, DESC_F_INDIRECT | DESC_F_NEXT, 1))),
    (AvailIdxJump, lambda: jump(5)),
    (AvailIdxJump, lambda: jump(0xFFFF)),
    (QueueSizeExceeded, fill_and_exceed),
    (QueueSizeExceeded, underflow),
    (RingSizeInvalid, lambda: set_up(RingLayout(5, 0, 128, 256))),
    (RingMisaligned, lambda: set_up(RingLayout(4, 0, 128, 258))),
    (RingOutside, lambda: set_up(RingLayout.place(4, MEMORY_SIZE))),
    (RequestHeaderMissing, lambda: Pair().request((1, DESC_F_WRITE))),
    (RequestHeaderShort, lambda: Pair().request((15, 0), (1, DESC_F_WRITE))),
    (RequestHeaderShort, lambda: Pair().request((8, 0), (7, 0), (1, DESC_F_WRITE))),
    (RequestStatusMissing, lambda: Pair().request((16, 0))),
    (DescriptorNotAvailable, packed_chain_without_end),
]


@pytest.mark.parametrize(
    ("error", "trigger"), TRIGGERS, ids=[f"{n}-{e.__name__}" for n, (e, _) in enumerate(TRIGGERS)]
)
def test_the_broken_rule_is_reported(error: type[RingError], trigger: Trigger) -> None:
    with pytest.raises(RingError) as caught:
        trigger()
    assert type(caught.value) is error


def test_every_rule_has_a_trigger() -> None:
    assert {error for error, _ in TRIGGERS} == set(RingError.__subclasses__())


def test_codes_are_unique_and_fit_a_byte() -> None:
    errors = RingError.__subclasses__()
    assert len(RING_ERRORS) == len(errors)
    assert sorted(RING_ERRORS) == list(range(1, len(errors) + 1))
    assert all(RING_ERRORS[error.code] is error for error in errors)
    assert max(RING_ERRORS) <= 255


def test_stored_codes_keep_their_meaning() -> None:
    assert [RING_ERRORS[code].__name__ for code in range(1, 21)] == [
        "HeadOutOfRange",
        "NextOutOfRange",
        "ChainLoops",
        "ChainTooLong",
        "ZeroLength",
        "AddressError",
        "ReadableAfterWritable",
        "IndirectNested",
        "IndirectLengthInvalid",
        "IndirectOutside",
        "IndirectNotNegotiated",
        "IndirectWithNext",
        "AvailIdxJump",
        "QueueSizeExceeded",
        "RingSizeInvalid",
        "RingMisaligned",
        "RingOutside",
        "RequestHeaderMissing",
        "RequestHeaderShort",
        "RequestStatusMissing",
    ]


def test_a_jump_of_exactly_the_queue_size_is_legal() -> None:
    pair = Pair()
    pair.driver.write_descriptor(0, DATA, 1, 0, 0)
    pair.driver.jump_avail_idx(4)
    assert pair.device.pop() == Chain(0, ((DATA, 1),), ())
