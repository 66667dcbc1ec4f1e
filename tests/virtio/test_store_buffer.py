"""The store buffer against a plain model of TSO, and the litmus tests that define TSO."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from vblkfuzz.virtio.memory import GuestMemory, no_barrier
from vblkfuzz.virtio.store_buffer import HEAD_BYTES, StoreBuffer

SIZE = 64
X, Y = 8, 33


def new_buffer(size: int = SIZE) -> tuple[GuestMemory, StoreBuffer]:
    memory = GuestMemory(memoryview(bytearray(size)))
    return memory, StoreBuffer(memory, memoryview(bytearray(HEAD_BYTES + size)))


def store_buffering(*, barrier: bool) -> tuple[int, int]:
    """Two actors: each stores its own byte, then loads that of the other.

    Only a barrier orders the first actor's store before its load.
    """
    memory, stores = new_buffer()
    stores.watch()
    memory.bytes[X] = 1
    if barrier:
        memory.barrier()
    first = memory.bytes[Y]
    stores.end()
    hidden = stores.hide()
    memory.bytes[Y] = 1
    second = memory.bytes[X]
    stores.show(hidden)
    assert (memory.bytes[X], memory.bytes[Y]) == (1, 1)
    return first, second


def test_a_store_may_be_seen_after_a_later_load() -> None:
    assert store_buffering(barrier=False) == (0, 0)


def test_a_barrier_orders_them() -> None:
    assert store_buffering(barrier=True) == (0, 1)


def test_stores_keep_their_order() -> None:
    """Two stores are both hidden or both visible, so none is visible before an earlier one."""
    memory, stores = new_buffer()
    stores.watch()
    memory.bytes[X] = 1
    memory.bytes[Y] = 1
    stores.end()
    hidden = stores.hide()
    assert (memory.bytes[X], memory.bytes[Y]) == (0, 0)
    stores.show(hidden)
    assert (memory.bytes[X], memory.bytes[Y]) == (1, 1)


def test_barriers_cost_nothing_unless_stores_are_watched() -> None:
    memory, stores = new_buffer()
    assert memory.barrier is no_barrier
    stores.watch()
    assert memory.barrier is not no_barrier
    stores.end()
    assert memory.barrier is no_barrier


def test_another_process_follows() -> None:
    """The word in shared memory is the state; each process sets its own barrier by it."""
    memory, _ = new_buffer()
    shared = memoryview(bytearray(HEAD_BYTES + SIZE))
    here, there = StoreBuffer(memory, shared), StoreBuffer(GuestMemory(memory.bytes), shared)
    here.watch()
    there.follow()
    memory.bytes[X] = 1
    there.barrier()
    memory.bytes[Y] = 1
    here.end()
    there.follow()
    memory.bytes[Y + 1] = 2
    there.barrier()
    assert here.hide() == [(Y, b"\1"), (Y + 1, b"\2")]


@given(st.binary(min_size=256, max_size=256), st.binary(min_size=256, max_size=256))
def test_exactly_the_changed_bytes_are_hidden(before: bytes, after: bytes) -> None:
    memory, stores = new_buffer(256)
    memory.bytes[:] = before
    stores.watch()
    memory.bytes[:] = after
    stores.end()
    hidden = stores.hide()
    assert memory.bytes == before
    assert [at for at, _ in hidden] == [at for at in range(256) if before[at] != after[at]]
    stores.show(hidden)
    assert memory.bytes == after


places = st.integers(0, SIZE - 1)
values = st.integers(0, 255)


class StoreBufferMachine(RuleBasedStateMachine):
    """An actor with a FIFO of stores and an actor whose stores are visible at once."""

    @initialize()
    def begin(self) -> None:
        self.memory, self.stores = new_buffer()
        self.visible = bytearray(SIZE)
        self.buffered: list[tuple[int, int]] = []
        self.running = False
        self.show: Callable[[], None] = lambda: None

    @rule()
    def hand_over(self) -> None:
        if self.running:
            self.stores.end()
            hidden = self.stores.hide()
            self.show = lambda: self.stores.show(hidden)
        else:
            self.show()
            for at, value in self.buffered:
                self.visible[at] = value
            self.buffered = []
            self.stores.watch()
        self.running = not self.running

    @rule(at=places, value=values)
    def store(self, at: int, value: int) -> None:
        if self.running:
            self.memory.bytes[at] = value
            self.buffered.append((at, value))
        elif at not in dict(self.buffered):  # addresses of hidden stores are left out
            self.memory.bytes[at] = self.visible[at] = value

    @rule()
    def barrier(self) -> None:
        self.memory.barrier()
        if self.running:
            for at, value in self.buffered:
                self.visible[at] = value
            self.buffered = []

    @invariant()
    def the_running_actor_sees_its_own_stores(self) -> None:
        expected = bytearray(self.visible)
        if self.running:
            for at, value in self.buffered:
                expected[at] = value
        assert self.memory.bytes == expected


TestStoreBufferMachine = StoreBufferMachine.TestCase


@pytest.mark.parametrize("size", [4, 8, 12, 1000])
def test_any_size(size: int) -> None:
    memory, stores = new_buffer(size)
    stores.watch()
    memory.bytes[size - 1] = 5
    stores.end()
    assert stores.hide() == [(size - 1, b"\5")]
