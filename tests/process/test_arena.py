from __future__ import annotations

import mmap
import os

from hypothesis import given
from hypothesis import strategies as st

from vblkfuzz.limits import COVERAGE_SIZE, GUEST_MEMORY_SIZE
from vblkfuzz.process.arena import ARENA_BYTES, BLOB_BYTES, Arena
from vblkfuzz.trace.kinds import KICK, POP

ARENA = Arena()


def test_areas_do_not_overlap() -> None:
    """Each area is filled with its own byte value and keeps it."""
    arena = Arena()
    arena.control[:] = memoryview(bytes([1]) * arena.control.nbytes).cast("I")
    arena.statistics[:] = memoryview(bytes([2]) * arena.statistics.nbytes).cast("Q")
    arena.scenario.write(bytes([3]) * BLOB_BYTES)
    arena.flight.write(bytes([4]) * BLOB_BYTES)
    arena.report.write(bytes([5]) * 100_000)
    arena.coverage[:] = bytes([6]) * COVERAGE_SIZE
    arena.memory.bytes[:] = bytes([7]) * GUEST_MEMORY_SIZE
    arena.stores.watch()
    arena.memory.bytes[:] = bytes([9]) * GUEST_MEMORY_SIZE
    arena.registers.words[:] = memoryview(bytes([8]) * arena.registers.words.nbytes).cast("I")
    arena.guest_ring.emit(KICK, 0)
    arena.device_ring.emit(POP, 3)
    assert set(arena.control.tobytes()) == {1}
    assert set(arena.statistics.tobytes()) == {2}
    assert set(arena.scenario.read()) == {3}
    assert set(arena.flight.read()) == {4}
    assert set(arena.report.read()) == {5}
    assert set(arena.coverage) == {6}
    assert set(arena.memory.bytes) == {9}
    assert len(arena.stores.hide()) == GUEST_MEMORY_SIZE
    assert set(arena.memory.bytes) == {7}
    assert set(arena.registers.words.tobytes()) == {8}
    assert [event.kind for event in arena.guest_ring.read()] == [KICK]
    assert [event.kind for event in arena.device_ring.read()] == [POP]


def test_two_views_of_one_mapping_share_everything() -> None:
    mapping = mmap.mmap(-1, ARENA_BYTES)
    first, second = Arena(mapping), Arena(mapping)
    first.memory.bytes[9] = 7
    first.flight.write(b"input")
    first.registers.features = 5
    assert second.memory.bytes[9] == 7
    assert second.flight.read() == b"input"
    assert second.registers.features == 5


def test_a_child_process_shares_it() -> None:
    arena = Arena()
    child = os.fork()
    if child == 0:
        arena.memory.bytes[3] = 8
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert arena.memory.bytes[3] == 8


@given(st.binary(max_size=2000))
def test_a_blob_returns_what_fits(data: bytes) -> None:
    ARENA.scenario.write(data)
    assert ARENA.scenario.read() == data[:BLOB_BYTES]


def test_a_long_blob_is_cut() -> None:
    ARENA.flight.write(b"x" * (BLOB_BYTES + 5))
    assert ARENA.flight.read() == b"x" * BLOB_BYTES


def test_clearing_clears_guest_memory_and_nothing_else() -> None:
    ARENA.memory.bytes[:] = b"\xff" * GUEST_MEMORY_SIZE
    ARENA.flight.write(b"kept")
    ARENA.clear_memory()
    assert bytes(ARENA.memory.bytes) == bytes(GUEST_MEMORY_SIZE)
    assert ARENA.flight.read() == b"kept"
