"""The arena: the one piece of memory that all processes of a worker share.

It is a memfd or anonymous shared memory: it has no name, needs no /dev/shm and is freed when its
last process ends. Offsets are fixed and used in this file only. Areas, contents and writers:

    control      turnstile words       the process that holds the turn
    registers    guest <-> device      the process that holds the turn
    semaphores   whose turn it is      fuzz process, device, guest, zygote
    statistics   counters, u64         fuzz process (read by the orchestrator at any time)
    scenario     canonical bytes       fuzz process, before an execution
    flight       fuzz input            fuzz process, before an execution; survives its death
    report       why it failed         an actor that raised, or the zygote if one has died
    last_line    where the device is   device, while it is watched
    schedule     what became of it     device, if it runs the guest too
    steering     which scheduler       fuzz process, before an execution that one steers
    steered      what it has decided   device, while it runs: canonical bytes; survives its death
    coverage     blocks, features      guest, device, fuzz process; libFuzzer clears it
    stores       store buffer          guest and device, while the schedule delays stores
    memory       guest memory          guest and device
    guest_ring   events                guest
    device_ring  events                device
"""

from __future__ import annotations

import mmap
import os
from typing import TYPE_CHECKING, Final

from vblkfuzz.dataplane.registers import WORDS, Registers
from vblkfuzz.limits import (
    COVERAGE_SIZE,
    GUEST_MEMORY_SIZE,
    MAX_REPORT_BYTES,
    MAX_STEERING_BYTES,
)
from vblkfuzz.process.semaphore import SEMAPHORE_BYTES
from vblkfuzz.scenario.codec import MAX_BYTES
from vblkfuzz.trace.ring import RING_BYTES, TraceRing
from vblkfuzz.virtio.memory import GuestMemory
from vblkfuzz.virtio.store_buffer import HEAD_BYTES, StoreBuffer

if TYPE_CHECKING:
    from collections.abc import Iterable

CONTROL_WORDS: Final = 64
SEMAPHORES: Final = 3
STATISTICS: Final = 64
BLOB_BYTES: Final = 2 * MAX_BYTES
"""Bytes for one fuzz input. libFuzzer passes at most its -max_len, which vblkfuzz sets."""

_ALIGN: Final = 64


def _offsets(sizes: Iterable[tuple[str, int]]) -> dict[str, tuple[int, int]]:
    """Place areas one after another, each on its own cache line."""
    placed, at = {}, 0
    for name, size in sizes:
        placed[name] = (at, size)
        at += -(-size // _ALIGN) * _ALIGN
    placed["end"] = (at, 0)
    return placed


_AREAS: Final = _offsets(
    [
        ("control", 4 * CONTROL_WORDS),
        ("registers", 4 * WORDS),
        ("semaphores", SEMAPHORES * SEMAPHORE_BYTES),
        ("statistics", 8 * STATISTICS),
        ("scenario", 4 + BLOB_BYTES),
        ("flight", 4 + BLOB_BYTES),
        ("report", 4 + MAX_REPORT_BYTES),
        ("last_line", 4 + MAX_REPORT_BYTES),
        ("schedule", 4 + MAX_REPORT_BYTES),
        ("steering", 4 + MAX_STEERING_BYTES),
        ("steered", 4 + BLOB_BYTES),
        ("coverage", COVERAGE_SIZE),
        ("stores", HEAD_BYTES + GUEST_MEMORY_SIZE),
        ("memory", GUEST_MEMORY_SIZE),
        ("guest_ring", RING_BYTES),
        ("device_ring", RING_BYTES),
    ]
)
ARENA_BYTES: Final = -(-_AREAS["end"][0] // mmap.PAGESIZE) * mmap.PAGESIZE


class Blob:
    """A length-prefixed byte string in shared memory."""

    __slots__ = ("_data", "_length")

    def __init__(self, view: memoryview) -> None:
        self._length = view[:4].cast("I")
        self._data = view[4:]

    def write(self, data: bytes) -> None:
        """Store `data`, cut to the size of the area. The length is 0 during the write."""
        data = data[: len(self._data)]
        self._length[0] = 0
        self._data[: len(data)] = data
        self._length[0] = len(data)

    def read(self) -> bytes:
        """Return what was stored."""
        return bytes(self._data[: self._length[0]])


class Arena:
    """Typed views of the shared memory. Create it before forking; children inherit it."""

    def __init__(self, mapping: mmap.mmap | None = None) -> None:
        """Use `mapping`, or map new anonymous shared memory."""
        self.mapping = mapping or mmap.mmap(-1, ARENA_BYTES)
        self.control = self._view("control").cast("I")
        self.registers = Registers(self._view("registers").cast("I"))
        semaphores = self._view("semaphores")
        self.semaphores = [
            semaphores[index * SEMAPHORE_BYTES :][:SEMAPHORE_BYTES] for index in range(SEMAPHORES)
        ]
        """Places for semaphores, see `semaphore.Semaphore`."""
        self.statistics = self._view("statistics").cast("Q")
        self.scenario = Blob(self._view("scenario"))
        self.flight = Blob(self._view("flight"))
        self.report = Blob(self._view("report"))
        self.last_line = Blob(self._view("last_line"))
        self.schedule = Blob(self._view("schedule"))
        self.steering = Blob(self._view("steering"))
        self.steered = Blob(self._view("steered"))
        self.coverage = self._view("coverage")
        self.memory = GuestMemory(self._view("memory"))
        self.stores = StoreBuffer(self.memory, self._view("stores"))
        self.guest_ring = TraceRing(self._view("guest_ring"))
        self.device_ring = TraceRing(self._view("device_ring"))

    @classmethod
    def over(cls, fd: int) -> Arena:
        """Map the memfd `fd`, which can be inherited across exec; the caller closes it."""
        os.ftruncate(fd, ARENA_BYTES)
        return cls(mmap.mmap(fd, ARENA_BYTES))

    def _view(self, name: str) -> memoryview:
        at, size = _AREAS[name]
        return memoryview(self.mapping)[at : at + size]

    def clear_memory(self) -> None:
        """Zero guest memory."""
        self.memory.bytes[:] = _ZEROES


_ZEROES: Final = memoryview(bytes(GUEST_MEMORY_SIZE))
