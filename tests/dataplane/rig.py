"""A device on shared parts, driven without a guest: ``from tests.dataplane.rig import Rig``.

The test acts as the driver, with one `DriverQueue` for each queue and the register file. `settle`
runs the threads of the device until none has work.
"""

from __future__ import annotations

from collections.abc import Iterable

from tests.dataplane.stepping import MANY
from vblkfuzz.dataplane.machine import Machine
from vblkfuzz.dataplane.registers import AVAIL, DESC, ENABLED, SIZE, USED, Exit
from vblkfuzz.dataplane.revisions.reference import Reference
from vblkfuzz.dataplane.thread import Steps
from vblkfuzz.dataplane.virtio_blk import VirtioBlk
from vblkfuzz.driver.blk import BLK
from vblkfuzz.driver.memory_map import SLOTS, Slot, ring_layout
from vblkfuzz.process.execution import SharedParts
from vblkfuzz.scenario.alphabet.guest import REQUESTS
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.op import op
from vblkfuzz.trace.event import Event, path_names
from vblkfuzz.virtio.chain import Segment
from vblkfuzz.virtio.layout import (
    F_INDIRECT_DESC,
    STATUS_ACKNOWLEDGE,
    STATUS_DRIVER,
    STATUS_DRIVER_OK,
    STATUS_FEATURES_OK,
)
from vblkfuzz.virtio.split.driver_queue import DriverQueue

DRIVER = STATUS_ACKNOWLEDGE | STATUS_DRIVER
FEATURES_OK = DRIVER | STATUS_FEATURES_OK
DRIVER_OK = FEATURES_OK | STATUS_DRIVER_OK


class Rig:
    """A machine with one device, and a driver that may break the protocol."""

    def __init__(
        self, parts: SharedParts, device_class: type[VirtioBlk] = Reference, **config: int | str
    ) -> None:
        self.parts = parts
        self.config = DeviceConfig(**config)  # type: ignore[arg-type]  # any field, by name
        parts.power_on(self.config.queues)
        self.machine = Machine(parts.board, self.config, device_class)
        self.device = self.machine.device
        self.blk = self.machine.blk
        self.backend = self.machine.backend
        self.memory = parts.arena.memory
        self.rings: list[DriverQueue] = []
        self._slots: list[list[Slot]] = []

    # --- Time -----------------------------------------------------------------------------

    def settle(self) -> None:
        threads = self.machine.threads
        while ready := [thread for thread in threads if thread.ready()]:
            ready[0].resume(MANY)

    def run(self, steps: Steps) -> None:
        """Run code of the device in the vCPU's thread to its end, then settle.

        While it waits, the other threads run.
        """
        for wait in steps:
            while wait is not None and not wait():
                self.progress()
        self.settle()

    def progress(self) -> None:
        """One turn of a thread other than the vCPU; AssertionError if none can."""
        ready = [thread for thread in self.machine.threads[1:] if thread.ready()]
        assert ready, "no thread can go on"
        ready[0].resume(MANY)

    def perform(self, name: str, **arguments: int | str) -> None:
        self.machine.perform(op(name, **arguments))
        self.settle()

    # --- Driver ---------------------------------------------------------------------------

    def exit(self, reason: Exit, argument: int) -> None:
        self.parts.arena.registers.post_exit(reason, argument)
        self.settle()

    def write_status(self, value: int) -> None:
        self.exit(Exit.STATUS, value)

    def make_rings(self, bank: int = 0) -> None:
        """Make new rings and write their addresses into the queue registers."""
        event_idx = self.config.event_idx
        write = self.parts.arena.registers.set_queue
        self.rings, self._slots = [], []
        for index in range(self.config.queues):
            layout = ring_layout(index, self.config.queue_size, bank)
            self.rings.append(DriverQueue(self.memory, layout, event_idx))
            self._slots.append(list(SLOTS[index]))
            for register, value in (
                (SIZE, layout.size),
                (DESC, layout.desc),
                (AVAIL, layout.avail),
                (USED, layout.used),
                (ENABLED, 1),
            ):
                write(index, register, value)

    def init(self, status: int = DRIVER_OK, bank: int = 0) -> None:
        """Set the device up as a driver does."""
        registers = self.parts.arena.registers
        registers.features = registers.offered & ~(1 << F_INDIRECT_DESC)
        self.write_status(DRIVER)
        self.write_status(FEATURES_OK)
        self.make_rings(bank)
        self.write_status(status)

    def publish(
        self, request: str = "in", sector: int = 0, sectors: int = 1, queue: int = 0
    ) -> Slot:
        """Make a well-formed request available."""
        slot = self._slots[queue].pop()
        code = REQUESTS.index(request)
        buffers = BLK.build(self.memory, slot, code, sector, sectors, len(self._slots[queue]))
        ring = self.rings[queue]
        ring.publish(ring.add(*buffers))
        return slot

    def publish_raw(self, readable: Iterable[Segment], writable: Iterable[Segment]) -> None:
        ring = self.rings[0]
        ring.publish(ring.add(tuple(readable), tuple(writable)))

    def kick(self, queue: int = 0) -> None:
        """Kick as with KVM: set the eventfd if one is assigned, else exit."""
        if self.parts.board.registers.queue(queue, 5):
            self.parts.kicks[queue].set()
            self.settle()
        else:
            self.exit(Exit.KICK, queue)

    def send(self, request: str = "in", sector: int = 0, sectors: int = 1, queue: int = 0) -> Slot:
        slot = self.publish(request, sector, sectors, queue)
        self.kick(queue)
        return slot

    def status_of(self, slot: Slot) -> int:
        return int(self.memory.bytes[slot.status])

    # --- Trace ----------------------------------------------------------------------------

    def events(self, *kinds: int) -> list[Event]:
        return [each for each in self.parts.board.ring.read() if each.kind in kinds]

    def count(self, kind: int) -> int:
        return len(self.events(kind))

    def paths(self, kind: int) -> list[str]:
        return [path_names(event.path) for event in self.events(kind)]

    def discard_events(self) -> None:
        """Discard the events so far."""
        self.parts.board.ring.clear()
