"""The recorder: the trace that it makes from guest events, dequeues and shared memory."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

import pytest

from vblkfuzz.driver.guest import GuestDriver
from vblkfuzz.driver.memory_map import ring_layout
from vblkfuzz.driver.port import Observed
from vblkfuzz.driver.published import published_in
from vblkfuzz.driver.transport import GuestSteps
from vblkfuzz.limits import GUEST_MEMORY_SIZE, SECTOR_SIZE
from vblkfuzz.oracle.judge import judge
from vblkfuzz.scenario.alphabet.ops import CODES
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.op import Op, op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.dequeue import Dequeue
from vblkfuzz.targets.recorder import Recorder
from vblkfuzz.trace.event import ActorId, Frame
from vblkfuzz.trace.kinds import (
    DRAIN_RET,
    END,
    POP,
    PUSH,
    RESET_RET,
    VM_CONT,
    VM_STOP_CALL,
    VM_STOP_RET,
)
from vblkfuzz.trace.ring import RING_BYTES, TraceRing
from vblkfuzz.trace.witness import Witness
from vblkfuzz.virtio.chain import walk_chain
from vblkfuzz.virtio.layout import F_RING_RESET, F_VERSION_1, RingLayout
from vblkfuzz.virtio.memory import GuestMemory
from vblkfuzz.virtio.queue import Areas
from vblkfuzz.virtio.request.blk import F_MQ
from vblkfuzz.virtio.ring_error import RingError

CONFIG = DeviceConfig(event_idx=False)
SEEN = ~(Witness.DEVICE | Witness.PROCESS)
POPPED = [Dequeue(0, ActorId.IO0)]


class Inert:
    """A transport to a device that does nothing by itself."""

    in_turns = False
    _status = 0

    def device_features(self) -> int:
        return 1 << F_VERSION_1 | 1 << F_RING_RESET | 1 << F_MQ

    def accept_features(self, features: int) -> None:
        pass

    def set_up_queue(self, index: int, layout: Areas) -> GuestSteps:
        yield from ()

    def write_status(self, value: int) -> GuestSteps:
        self._status = value
        yield from ()

    def reset_function(self) -> GuestSteps:
        return self.write_status(0)

    def read_status(self) -> int:
        return self._status

    def is_lost(self) -> bool:
        return False

    def queue_enabled(self, index: int) -> bool:
        return False

    def config_generation(self) -> int:
        return 0

    def capacity(self) -> int:
        return 0

    def writeback(self) -> int:
        return 0

    def set_writeback(self, mode: int) -> GuestSteps:
        yield from ()

    def known_id(self) -> int:
        return 0

    def kick(self, index: int) -> GuestSteps:
        yield from ()

    def kick_inband(self, index: int) -> GuestSteps:
        yield from ()

    def reset_queue(self, index: int) -> GuestSteps:
        yield from ()

    def take_call(self, index: int) -> bool:
        return False

    def take_config_call(self) -> bool:
        return False


class SharedParts:
    """A guest, and a device whose actions the test carries out."""

    def __init__(self, *, exact_pops: bool = True) -> None:
        self.memory = GuestMemory(memoryview(bytearray(GUEST_MEMORY_SIZE)))
        self._ring = TraceRing(memoryview(bytearray(RING_BYTES)))
        self._driver = GuestDriver(self.memory, Observed(Inert(), self._ring), CONFIG, self._ring)
        self.recorder = Recorder(self.memory, CONFIG, exact_pops=exact_pops)
        self._count = 0

    def act(self, operation: Op) -> None:
        self.recorder.operation(self._count, operation.code)
        self._count += 1
        self._ring.clear()
        list(self._driver.run(operation))
        events = self._ring.read()
        self.recorder.guest(events, published_in(events, self._driver.queues))

    def guest(self, operation: Op, dequeues: Sequence[Dequeue] = ()) -> None:
        self.act(operation)
        left = [list(dequeues)]
        self.recorder.look(lambda: left.pop() if left else [])

    def end(self, layout: RingLayout, head: int, status: int = 0) -> int:
        """Write a status as a device does; return the size of the writable buffers in bytes."""
        with suppress(RingError):  # that head was never published
            writable = walk_chain(self.memory, layout, head, True).writable
            address, length = writable[-1]
            self.memory.bytes[address + length - 1] = status
            return sum(size for _, size in writable)
        return 0

    def use(self, bank: int, idx: int, head: int, status: int = 0) -> None:
        """End a request and push it as a device does."""
        layout = ring_layout(0, CONFIG.queue_size, bank)
        entry = layout.used_ring(idx % CONFIG.queue_size) >> 2
        self.memory.u32[entry + 1] = self.end(layout, head, status)
        self.memory.u32[entry] = head
        self.memory.u16[layout.used_idx >> 1] = idx + 1
        self.recorder.look(list)

    def rules(self) -> set[str]:
        return {name.split("-")[0].upper() for name in self.signatures()}

    def signatures(self) -> set[str]:
        trace = self.recorder.trace(SEEN)
        return {one.signature for one in judge(Scenario(CONFIG), trace).violations}

    def disk_is_known(self) -> bool:
        return Witness.DISK in self.recorder.trace(SEEN).witnesses

    def kinds(self) -> list[int]:
        return [event.kind for event in self.recorder.trace(SEEN).events]


@pytest.fixture
def parts() -> SharedParts:
    made = SharedParts()
    made.guest(op("init"))
    return made


def test_a_request_that_is_served(parts: SharedParts) -> None:
    parts.guest(op("publish_kick"), POPPED)
    before = parts.recorder.idle
    parts.use(0, 0, 0)
    assert (before, parts.recorder.idle) == (False, True)
    parts.recorder.tell(END)
    assert parts.kinds()[-3:] == [POP, PUSH, END]
    assert not parts.rules()


def test_a_kick_that_is_lost(parts: SharedParts) -> None:
    parts.guest(op("publish_kick"))
    parts.recorder.tell(END)
    assert parts.rules() == {"L1"}


def test_a_request_that_is_dequeued_and_forgotten(parts: SharedParts) -> None:
    parts.guest(op("publish_kick"), POPPED)
    parts.recorder.tell(END)
    assert parts.rules() == {"L3"}


def test_a_used_entry_that_was_never_submitted(parts: SharedParts) -> None:
    parts.use(0, 0, 5)
    assert parts.rules() == {"S6"}


def test_a_dequeue_in_a_drained_section(parts: SharedParts) -> None:
    parts.recorder.tell(DRAIN_RET, flag=1)
    parts.guest(op("publish_kick"))
    assert not parts.rules()
    parts.guest(op("reset"), POPPED)
    assert parts.rules() == {"S1"}
    kinds = parts.kinds()
    assert kinds.index(POP) < kinds.index(RESET_RET)


def test_a_write_after_a_reset(parts: SharedParts) -> None:
    parts.guest(op("publish_kick"), POPPED)
    status = next(
        address for address in range(GUEST_MEMORY_SIZE) if parts.memory.bytes[address] == 0xFF
    )
    parts.guest(op("reset"))
    assert not parts.rules()
    parts.memory.bytes[status] = 0
    parts.recorder.look(list)
    assert parts.rules() == {"S4"}


def test_a_push_after_a_reset(parts: SharedParts) -> None:
    parts.guest(op("publish_kick"), POPPED)
    parts.guest(op("reset"))
    parts.use(0, 0, 0)
    assert "S4" in parts.rules()


@pytest.mark.parametrize("seen_in", ["read_config", "drain_end", "mirror_finish", "complete"])
def test_what_outlives_a_reset_is_named_by_the_reset(parts: SharedParts, seen_in: str) -> None:
    """The operation in which the push is observed would give one bug many names."""
    parts.guest(op("publish_kick"), POPPED)
    parts.guest(op("reset"))
    parts.recorder.operation(9, op(seen_in).code)
    parts.use(0, 0, 0)
    assert parts.signatures() == {"s4-reset-popped-push", "s6-reset-not_popped"}


@pytest.mark.parametrize(("ends", "name"), [("init", "reset"), ("queue_reset", "queue_reset")])
def test_a_push_into_the_next_rings_is_named_by_the_reset(
    parts: SharedParts, ends: str, name: str
) -> None:
    parts.guest(op("publish_kick"), POPPED)
    parts.guest(op(ends))
    parts.recorder.operation(9, op("drain_end").code)
    parts.use(1, 0, 0)
    assert parts.signatures() == {f"s6-{name}-not_popped"}


def test_a_push_that_no_reset_explains_is_named_by_the_operation(parts: SharedParts) -> None:
    parts.guest(op("publish_kick"), POPPED)
    parts.guest(op("init"))
    parts.use(1, 0, 0)
    parts.recorder.operation(9, op("drain_end").code)
    parts.use(1, 1, 0)  # only one request with this head has outlived the reset
    parts.use(1, 2, 5)  # no request with this head has
    assert parts.signatures() == {"s6-reset-not_popped", "s6-drained_end-not_popped"}


def test_an_entry_that_the_device_skips_is_named_by_the_reset(parts: SharedParts) -> None:
    """It counts its used idx on from earlier rings, whose first entry was an earlier request."""
    parts.guest(op("publish_kick"), POPPED)
    parts.use(0, 0, 0)
    parts.guest(op("publish_kick"), POPPED)
    parts.guest(op("init"))
    parts.recorder.operation(9, op("drain_end").code)
    layout = ring_layout(0, CONFIG.queue_size, 1)
    parts.memory.u32[layout.used_ring(1) >> 2] = 3  # the first request had three descriptors
    parts.memory.u16[layout.used_idx >> 1] = 2
    parts.recorder.look(list)
    assert parts.signatures() == {"s6-reset-not_popped"}


def test_two_requests_of_one_head_that_outlive_their_resets(parts: SharedParts) -> None:
    for _ in range(2):
        parts.guest(op("publish_kick"), POPPED)
        parts.guest(op("init"))
    parts.recorder.operation(9, op("drain_end").code)
    for idx in range(2):
        parts.use(0, idx, 0)
    assert parts.signatures() == {"s6-reset-not_popped"}


def test_what_a_deferred_operation_causes_is_named_by_it(parts: SharedParts) -> None:
    """The VM was stopped when the guest was to publish, so that happens within `cont`."""
    parts.recorder.operation(9, op("cont").code)
    parts.use(0, 0, 0)
    parts.recorder.deferred(3, op("drain_end").code)
    assert parts.recorder.index == 3
    parts.use(0, 1, 0)
    assert parts.signatures() == {"s6-vm_cont-not_popped", "s6-drained_end-not_popped"}


def test_another_queue_goes_on_while_one_is_reset(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may dequeue and push between the two calls of `dequeues` in one look."""
    monkeypatch.setattr(sys.modules[__name__], "CONFIG", replace(CONFIG, queues=2))
    parts = SharedParts()
    parts.guest(op("init"))
    parts.guest(op("publish_kick", queue=1))
    layout = ring_layout(1, CONFIG.queue_size, 0)

    def dequeues() -> list[Dequeue]:
        if parts.memory.u16[layout.used_idx >> 1]:
            return [Dequeue(1, ActorId.IO0)]
        parts.end(layout, 0)
        parts.memory.u16[layout.used_idx >> 1] = 1
        return []

    parts.act(op("queue_reset", queue=0))
    parts.recorder.look(dequeues)
    assert not parts.rules()
    assert parts.kinds()[-2:] == [POP, PUSH]


@pytest.mark.parametrize(("wrote", "found"), [(0, {"S14"}), (1, set())])
def test_a_write_that_is_lost(parts: SharedParts, wrote: int, found: set[str]) -> None:
    """A failed write is no violation: its effect on the disk is unknown."""
    layout = ring_layout(0, CONFIG.queue_size, 0)
    parts.guest(op("publish_kick", request="out"), POPPED)
    parts.use(0, 0, 0, status=wrote)
    parts.guest(op("collect"))
    parts.guest(op("publish_kick", request="in"), POPPED)
    data, _ = walk_chain(parts.memory, layout, 0, True).writable[0]
    parts.memory.bytes[data : data + SECTOR_SIZE] = bytes(SECTOR_SIZE)
    parts.use(0, 1, 0)
    parts.guest(op("collect"))
    assert parts.disk_is_known()
    assert parts.rules() == found


@pytest.mark.parametrize("ends", ["reset", "queue_reset"])
def test_the_disk_is_not_known_when_a_request_outlives_its_rings(
    parts: SharedParts, ends: str
) -> None:
    """A later push may belong to it or to another request with the same head."""
    parts.guest(op("publish_kick"), POPPED)
    assert parts.disk_is_known()
    parts.guest(op(ends))
    assert not parts.disk_is_known()


def test_memory_that_the_next_driver_uses_is_its_own(parts: SharedParts) -> None:
    for _ in range(8):
        parts.guest(op("publish_kick"), POPPED)
        parts.guest(op("reset"))
        parts.guest(op("init"))
    for _ in range(8):
        parts.guest(op("publish_kick"), POPPED)
    assert not parts.rules()


def test_without_an_exact_witness_a_push_implies_a_pop() -> None:
    parts = SharedParts(exact_pops=False)
    parts.guest(op("init"))
    parts.guest(op("publish_kick"))
    parts.use(0, 0, 0)
    assert parts.kinds()[-2:] == [POP, PUSH]
    assert not parts.rules()


def stopped_with_a_request(parts: SharedParts) -> None:
    parts.recorder.tell(VM_STOP_CALL)
    parts.recorder.suspend()
    parts.recorder.tell(VM_STOP_RET)


def test_what_a_suspended_device_does_is_named_by_the_save(parts: SharedParts) -> None:
    """However late it is observed, and during whatever operation."""
    parts.guest(op("publish_kick", request="out"), POPPED)
    stopped_with_a_request(parts)
    parts.recorder.operation(5, CODES["drain_end"])
    parts.use(0, 0, 0)
    assert parts.signatures() == {"s17-vm_stop-push"}
    parts.recorder.resume()
    parts.recorder.tell(VM_CONT)
    parts.guest(op("collect"))
    parts.guest(op("publish_kick", request="out"), POPPED)
    parts.use(0, 1, 0)
    pushes = [each.path for each in parts.recorder.trace(SEEN).events if each.kind == PUSH]
    assert pushes == [Frame.VM_STOP, 0]


def test_a_dequeue_that_was_not_seen_was_before_the_save() -> None:
    """That is not known to be wrong; the push is."""
    parts = SharedParts(exact_pops=False)
    parts.guest(op("init"))
    parts.guest(op("publish_kick"))
    stopped_with_a_request(parts)
    parts.use(0, 0, 0)
    kinds = parts.kinds()
    assert kinds[kinds.index(VM_STOP_CALL) :] == [VM_STOP_CALL, POP, VM_STOP_RET, PUSH]
    turns = [event.turn for event in parts.recorder.trace(SEEN).events]
    assert turns == sorted(turns)
    assert parts.signatures() == {"s17-vm_stop-push"}
