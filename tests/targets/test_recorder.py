"""Traces from outside: what the recorder makes of guest events, dequeues and shared memory."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

import pytest

from vblkfuzz.driver.guest import GuestDriver
from vblkfuzz.driver.memory_map import ring_layout
from vblkfuzz.driver.port import Observed
from vblkfuzz.driver.transport import GuestSteps
from vblkfuzz.limits import GUEST_MEMORY_SIZE, SECTOR_SIZE
from vblkfuzz.oracle.judge import judge
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.ops import Op, op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.recorder import Dequeue, Recorder
from vblkfuzz.trace.event import ActorId
from vblkfuzz.trace.kinds import DRAIN_RET, END, POP, PUSH, RESET_RET
from vblkfuzz.trace.ring import RING_BYTES, TraceRing
from vblkfuzz.trace.witness import Witness
from vblkfuzz.virtio.chain import walk_chain
from vblkfuzz.virtio.layout import RingLayout
from vblkfuzz.virtio.memory import GuestMemory
from vblkfuzz.virtio.ring_error import RingError

CONFIG = DeviceConfig(event_idx=False)
SEEN = ~(Witness.DEVICE | Witness.PROCESS)
POPPED = [Dequeue(0, ActorId.IO0)]


class Dumb:
    """A transport to a device that never does anything by itself."""

    def device_features(self) -> int:
        return 0

    def accept_features(self, features: int) -> None:
        pass

    def set_up_queue(self, index: int, layout: RingLayout) -> GuestSteps:
        yield from ()

    def write_status(self, value: int) -> GuestSteps:
        yield from ()

    def read_status(self) -> int:
        return 0

    def config_generation(self) -> int:
        return 0

    def capacity(self) -> int:
        return 0

    def kick(self, index: int) -> GuestSteps:
        yield from ()

    def kick_inband(self, index: int) -> GuestSteps:
        yield from ()

    def reset_queue(self, index: int) -> GuestSteps:
        yield from ()

    def take_call(self, index: int) -> bool:
        return False


class Bench:
    """A guest, and a device that is played by the test."""

    def __init__(self, *, exact_pops: bool = True) -> None:
        self.memory = GuestMemory(memoryview(bytearray(GUEST_MEMORY_SIZE)))
        self._ring = TraceRing(memoryview(bytearray(RING_BYTES)))
        self._driver = GuestDriver(self.memory, Observed(Dumb(), self._ring), CONFIG, self._ring)
        self.recorder = Recorder(self.memory, CONFIG, exact_pops=exact_pops)
        self._count = 0

    def act(self, operation: Op) -> None:
        self.recorder.operation(self._count, operation.code)
        self._count += 1
        self._ring.clear()
        list(self._driver.run(operation))
        self.recorder.guest(self._ring.read())

    def guest(self, operation: Op, dequeues: Sequence[Dequeue] = ()) -> None:
        self.act(operation)
        left = [list(dequeues)]
        self.recorder.look(lambda: left.pop() if left else [])

    def end(self, layout: RingLayout, head: int, status: int = 0) -> None:
        """Write a status as a device does."""
        with suppress(RingError):  # nobody has made that head available
            address, length = walk_chain(self.memory, layout, head, True).writable[-1]
            self.memory.bytes[address + length - 1] = status

    def use(self, bank: int, idx: int, head: int, status: int = 0) -> None:
        """End a request and push it as a device does."""
        layout = ring_layout(0, CONFIG.queue_size, bank)
        self.end(layout, head, status)
        self.memory.u32[layout.used_ring(idx % CONFIG.queue_size) >> 2] = head
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
def bench() -> Bench:
    made = Bench()
    made.guest(op("init"))
    return made


def test_a_request_that_is_served(bench: Bench) -> None:
    bench.guest(op("publish_kick"), POPPED)
    before = bench.recorder.idle
    bench.use(0, 0, 0)
    assert (before, bench.recorder.idle) == (False, True)
    bench.recorder.tell(END)
    assert bench.kinds()[-3:] == [POP, PUSH, END]
    assert not bench.rules()


def test_a_kick_that_is_lost(bench: Bench) -> None:
    bench.guest(op("publish_kick"))
    bench.recorder.tell(END)
    assert bench.rules() == {"L1"}


def test_a_request_that_is_dequeued_and_forgotten(bench: Bench) -> None:
    bench.guest(op("publish_kick"), POPPED)
    bench.recorder.tell(END)
    assert bench.rules() == {"L3"}


def test_a_used_entry_that_was_never_submitted(bench: Bench) -> None:
    bench.use(0, 0, 5)
    assert bench.rules() == {"S6"}


def test_a_dequeue_in_a_drained_section(bench: Bench) -> None:
    bench.recorder.tell(DRAIN_RET, flag=1)
    bench.guest(op("publish_kick"))
    assert not bench.rules()
    bench.guest(op("reset"), POPPED)
    assert bench.rules() == {"S1"}
    kinds = bench.kinds()
    assert kinds.index(POP) < kinds.index(RESET_RET)


def test_a_write_after_a_reset(bench: Bench) -> None:
    bench.guest(op("publish_kick"), POPPED)
    status = next(
        address for address in range(GUEST_MEMORY_SIZE) if bench.memory.bytes[address] == 0xFF
    )
    bench.guest(op("reset"))
    assert not bench.rules()
    bench.memory.bytes[status] = 0
    bench.recorder.look(list)
    assert bench.rules() == {"S4"}


def test_a_push_after_a_reset(bench: Bench) -> None:
    bench.guest(op("publish_kick"), POPPED)
    bench.guest(op("reset"))
    bench.use(0, 0, 0)
    assert "S4" in bench.rules()


@pytest.mark.parametrize("seen_in", ["read_config", "drain_end", "mirror_finish", "complete"])
def test_what_outlives_a_reset_is_named_by_the_reset(bench: Bench, seen_in: str) -> None:
    """Not by the operation in which it shows: that would be a bug of many names."""
    bench.guest(op("publish_kick"), POPPED)
    bench.guest(op("reset"))
    bench.recorder.operation(9, op(seen_in).code)
    bench.use(0, 0, 0)
    assert bench.signatures() == {"s4-reset-popped-push", "s6-reset-not_popped"}


@pytest.mark.parametrize(("ends", "name"), [("init", "reset"), ("queue_reset", "queue_reset")])
def test_a_push_into_the_next_rings_is_named_by_the_reset(
    bench: Bench, ends: str, name: str
) -> None:
    bench.guest(op("publish_kick"), POPPED)
    bench.guest(op(ends))
    bench.recorder.operation(9, op("drain_end").code)
    bench.use(1, 0, 0)
    assert bench.signatures() == {f"s6-{name}-not_popped"}


def test_a_push_that_no_reset_explains_is_named_by_the_operation(bench: Bench) -> None:
    bench.guest(op("publish_kick"), POPPED)
    bench.guest(op("init"))
    bench.use(1, 0, 0)
    bench.recorder.operation(9, op("drain_end").code)
    bench.use(1, 1, 0)  # there was one such request, not two
    bench.use(1, 2, 5)  # nor has there been another head
    assert bench.signatures() == {"s6-reset-not_popped", "s6-drained_end-not_popped"}


def test_two_requests_of_one_head_that_outlive_their_resets(bench: Bench) -> None:
    for _ in range(2):
        bench.guest(op("publish_kick"), POPPED)
        bench.guest(op("init"))
    bench.recorder.operation(9, op("drain_end").code)
    for idx in range(2):
        bench.use(0, idx, 0)
    assert bench.signatures() == {"s6-reset-not_popped"}


def test_another_queue_goes_on_while_one_is_reset(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may dequeue and push between two questions of one look."""
    monkeypatch.setattr(sys.modules[__name__], "CONFIG", replace(CONFIG, queues=2))
    bench = Bench()
    bench.guest(op("init"))
    bench.guest(op("publish_kick", queue=1))
    layout = ring_layout(1, CONFIG.queue_size, 0)

    def dequeues() -> list[Dequeue]:
        if bench.memory.u16[layout.used_idx >> 1]:
            return [Dequeue(1, ActorId.IO0)]
        bench.end(layout, 0)
        bench.memory.u16[layout.used_idx >> 1] = 1
        return []

    bench.act(op("queue_reset", queue=0))
    bench.recorder.look(dequeues)
    assert not bench.rules()
    assert bench.kinds()[-2:] == [POP, PUSH]


@pytest.mark.parametrize(("wrote", "found"), [(0, {"S14"}), (1, set())])
def test_a_write_that_is_lost(bench: Bench, wrote: int, found: set[str]) -> None:
    """Unless it failed: what became of it is not known then."""
    layout = ring_layout(0, CONFIG.queue_size, 0)
    bench.guest(op("publish_kick", request="out"), POPPED)
    bench.use(0, 0, 0, status=wrote)
    bench.guest(op("collect"))
    bench.guest(op("publish_kick", request="in"), POPPED)
    data, _ = walk_chain(bench.memory, layout, 0, True).writable[0]
    bench.memory.bytes[data : data + SECTOR_SIZE] = bytes(SECTOR_SIZE)
    bench.use(0, 1, 0)
    bench.guest(op("collect"))
    assert bench.disk_is_known()
    assert bench.rules() == found


@pytest.mark.parametrize("ends", ["reset", "queue_reset"])
def test_the_disk_is_not_known_when_a_request_outlives_its_rings(bench: Bench, ends: str) -> None:
    """A later push may be its own, or that of another request with its head."""
    bench.guest(op("publish_kick"), POPPED)
    assert bench.disk_is_known()
    bench.guest(op(ends))
    assert not bench.disk_is_known()


def test_memory_that_the_next_driver_uses_is_its_own(bench: Bench) -> None:
    for _ in range(8):
        bench.guest(op("publish_kick"), POPPED)
        bench.guest(op("reset"))
        bench.guest(op("init"))
    for _ in range(8):
        bench.guest(op("publish_kick"), POPPED)
    assert not bench.rules()


def test_without_an_exact_witness_a_push_says_that_it_was_dequeued() -> None:
    bench = Bench(exact_pops=False)
    bench.guest(op("init"))
    bench.guest(op("publish_kick"))
    bench.use(0, 0, 0)
    assert bench.kinds()[-2:] == [POP, PUSH]
    assert not bench.rules()
