"""A guest driver without a device: the test acts as the device."""

from __future__ import annotations

from vblkfuzz.driver.guest import GuestDriver
from vblkfuzz.driver.transport import GuestSteps
from vblkfuzz.limits import GUEST_MEMORY_SIZE
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.op import Op, op
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.ring import RING_BYTES, TraceRing
from vblkfuzz.virtio.features import device_side
from vblkfuzz.virtio.layout import (
    STATUS_DRIVER_OK,
    STATUS_FEATURES_OK,
    STATUS_NEEDS_RESET,
    RingLayout,
)
from vblkfuzz.virtio.memory import GuestMemory
from vblkfuzz.virtio.queue import Areas
from vblkfuzz.virtio.request.blk import scatter
from vblkfuzz.virtio.split.device_queue import DeviceQueue


class Transport:
    """Logs the driver's calls and answers at once."""

    in_turns = True

    def __init__(self, features: int) -> None:
        self.features = features
        self.accepted: int | None = None
        self.log: list[str] = []
        self.layouts: dict[int, RingLayout] = {}
        self.generations: list[int] = []
        self.enabled: set[int] = set()
        """Queues of which queue_enable reads 1."""
        self.disables: set[int] = set()
        """Those that the reset of any queue disables."""
        self.status = 0
        """What the driver reads; the test sets it."""
        self.refuses = False
        """Whether FEATURES_OK stays 0."""
        self._features_ok = 0
        """The bit FEATURES_OK while a driver sets up the device, which reads it then, too."""
        self.lost = False
        """Whether the device cannot be reached until a reset."""
        self.mode = 1
        self.has_config = True

    def device_features(self) -> int:
        return self.features

    def accept_features(self, features: int) -> None:
        self.accepted = features

    def set_up_queue(self, index: int, layout: Areas) -> GuestSteps:
        assert isinstance(layout, RingLayout)
        self.log.append(f"queue {index}")
        self.layouts[index] = layout
        yield from ()

    def write_status(self, value: int) -> GuestSteps:
        self.log.append(f"status {value}")
        takes = value < STATUS_NEEDS_RESET and not value & STATUS_DRIVER_OK and not self.refuses
        self._features_ok = value & STATUS_FEATURES_OK if takes else 0
        yield from ()

    def reset_function(self) -> GuestSteps:
        return self.write_status(0)

    def read_status(self) -> int:
        return self.status | self._features_ok

    def is_lost(self) -> bool:
        return self.lost

    def queue_enabled(self, index: int) -> bool:
        return index in self.enabled

    def config_generation(self) -> int:
        self.log.append("generation")
        return self.generations.pop(0) if self.generations else 7

    def capacity(self) -> int:
        return 64

    def writeback(self) -> int | None:
        return self.mode if self.has_config else None

    def set_writeback(self, mode: int) -> GuestSteps:
        self.log.append(f"writeback {mode}")
        self.mode = mode
        yield from ()

    def known_id(self) -> int:
        return 5

    def kick(self, index: int) -> GuestSteps:
        self.log.append(f"kick {index}")
        yield from ()

    def kick_inband(self, index: int) -> GuestSteps:
        self.log.append(f"kick inband {index}")
        yield from ()

    def reset_queue(self, index: int) -> GuestSteps:
        self.log.append(f"reset {index}")
        self.enabled -= self.disables
        yield from ()

    def take_call(self, index: int) -> bool:
        self.log.append(f"call {index}")
        return True

    def take_config_call(self) -> bool:
        return False


class Guest:
    """A driver whose device is played by the test."""

    def __init__(
        self, *, queues: int = 1, size: int = 8, indirect: bool = False, first_index: int = 0
    ) -> None:
        self.memory = GuestMemory(memoryview(bytearray(GUEST_MEMORY_SIZE)))
        self.ring = TraceRing(memoryview(bytearray(RING_BYTES)))
        features = device_side(queues=queues, event_idx=True, indirect=indirect, read_only=False)
        self.transport = Transport(features)
        config = DeviceConfig(
            queues=queues, queue_size=size, indirect=indirect, first_index=first_index
        )
        self.driver = GuestDriver(self.memory, self.transport, config, self.ring)

    def do(self, name: str, **arguments: int | str) -> None:
        self.run(op(name, **arguments))

    def run(self, operation: Op) -> None:
        for _ in self.driver.run(operation):
            pass

    def rest(self) -> None:
        for _ in self.driver.rest():
            pass

    def device(self, queue: int = 0) -> DeviceQueue:
        """The device's end of a queue."""
        end = DeviceQueue(self.memory, queue)
        end.set_up(self.transport.layouts[queue], event_idx=True, indirect=True)
        return end

    def answer(self, end: DeviceQueue, status: int = 0, data: bytes = b"", length: int = 1) -> None:
        """Take a request, write data and status, and push it with a length."""
        chain = end.pop()
        assert chain is not None
        *buffers, (address, _) = chain.writable
        scatter(self.memory, buffers, data)
        self.memory.bytes[address] = status
        end.push(chain.head, length)

    def events(self, kind: int) -> list[Event]:
        return [event for event in self.ring.read() if event.kind == kind]


def ready(**options: int) -> Guest:
    guest = Guest(**options)  # type: ignore[arg-type]  # any option, by name
    guest.do("init")
    return guest
