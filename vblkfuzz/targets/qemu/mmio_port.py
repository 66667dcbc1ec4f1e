"""The guest's access to virtio-blk-device on virtio-mmio, by qtest (virtio 1.2, 4.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.driver.features import scenario_features
from vblkfuzz.errors import HarnessError
from vblkfuzz.targets.qemu.qtest_port import NO_STEPS, QtestPort
from vblkfuzz.virtio.request.blk import WRITEBACK_AT

if TYPE_CHECKING:
    from vblkfuzz.driver.transport import GuestSteps
    from vblkfuzz.scenario.device import DeviceConfig
    from vblkfuzz.virtio.queue import Areas

_TRANSPORTS: Final = range(0xFEB0_0000, 0xFEB0_3000, 0x200)
"""Addresses of the transports of a microvm, of which one has the device."""
_BLOCK_DEVICE: Final = 2

# Offsets of registers (4.2.2).
_DEVICE_ID, _FEATURES, _FEATURES_SELECT = 0x008, 0x010, 0x014
_DRIVER_FEATURES, _DRIVER_SELECT = 0x020, 0x024
_QUEUE_SELECT, _QUEUE_SIZE, _QUEUE_READY, _QUEUE_NOTIFY = 0x030, 0x038, 0x044, 0x050
_INTERRUPTS, _ACKNOWLEDGE, _STATUS = 0x060, 0x064, 0x070
_AREAS: Final = (0x080, 0x090, 0x0A0)
_QUEUE_RESET, _GENERATION, _CONFIG = 0x0C0, 0x0FC, 0x100


class MmioPort(QtestPort):
    """Satisfies `driver.port.Port`."""

    def __init__(self, ram: int) -> None:
        """Map guest memory, of the memfd `ram`, which stays open."""
        super().__init__(ram)
        self._config: DeviceConfig
        self._base = 0
        """Address of the registers."""
        self._first_generation = 0

    def power_on(self, config: DeviceConfig, fds: list[int]) -> None:
        """Find the device if the process is a new one; clear guest memory."""
        self._config = config
        if fds:
            self.restore(fds)
            self._base = self._find()
        self._first_generation = self._read(_GENERATION)
        self._clear_memory()

    def power_off(self) -> None:
        """Reset the device."""
        self.write_status(0)

    # --- Transport ----------------------------------------------------------------------------

    def device_features(self) -> int:
        """Return the offered features, without those that the scenario's device lacks."""
        offered = 0
        for half in (0, 1):
            self._write(_FEATURES_SELECT, half)
            offered |= self._read(_FEATURES) << 32 * half
        return offered & scenario_features(self._config)

    def accept_features(self, features: int) -> None:
        """Write the driver's feature bits."""
        for half in (0, 1):
            self._write(_DRIVER_SELECT, half)
            self._write(_DRIVER_FEATURES, features >> 32 * half & 0xFFFF_FFFF)

    def set_up_queue(self, index: int, layout: Areas) -> GuestSteps:
        """Write size and addresses of a queue and enable it."""
        self._write(_QUEUE_SELECT, index)
        self._write(_QUEUE_SIZE, layout.size)
        for at, address in zip(_AREAS, (layout.desc, layout.avail, layout.used), strict=True):
            self._write(at, address)
            self._write(at + 4, 0)
        return self._act(_QUEUE_READY, 1)

    def write_status(self, value: int) -> GuestSteps:
        """Write the device status."""
        return self._act(_STATUS, value)

    def reset_function(self) -> GuestSteps:
        """Reset the device by its status: it is no PCI function."""
        return self.write_status(0)

    def read_status(self) -> int:
        """Read the device status."""
        return self._read(_STATUS)

    def queue_enabled(self, index: int) -> bool:
        """Read whether a queue is enabled."""
        self._write(_QUEUE_SELECT, index)
        return bool(self._read(_QUEUE_READY))

    def config_generation(self) -> int:
        """Read the generation of the device configuration, relative to power-on."""
        return (self._read(_GENERATION) - self._first_generation) & 0xFF

    def capacity(self) -> int:
        """Read the lower half of the capacity, in sectors: disks of scenarios are small."""
        return self._read(_CONFIG)

    def writeback(self) -> int:
        """Read the cache mode from the device configuration."""
        return self._line.ask(f"readb {self._base + _CONFIG + WRITEBACK_AT:#x}")

    def set_writeback(self, mode: int) -> GuestSteps:
        """Write the cache mode into the device configuration."""
        self._line.post(f"writeb {self._base + _CONFIG + WRITEBACK_AT:#x} {mode:#x}")
        self._line.flush()
        return NO_STEPS

    def kick(self, index: int) -> GuestSteps:
        """Write the number of the queue into the notify register."""
        return self._act(_QUEUE_NOTIFY, index)

    def kick_inband(self, index: int) -> GuestSteps:
        """As `kick`: the notify register is the only way."""
        return self.kick(index)

    def reset_queue(self, index: int) -> GuestSteps:
        """Reset one queue (4.2.2, QueueReset)."""
        self._write(_QUEUE_SELECT, index)
        return self._act(_QUEUE_RESET, 1)

    def take_call(self, index: int) -> bool:
        """Read the interrupt status, and acknowledge it: all queues share one interrupt."""
        pending = self._read(_INTERRUPTS) & 1
        if pending:
            self._act(_ACKNOWLEDGE, pending)
        return bool(pending)

    def take_config_call(self) -> bool:
        """Return False: that interrupt stays pending."""
        return False

    # --- Registers ----------------------------------------------------------------------------

    def _find(self) -> int:
        for self._base in _TRANSPORTS:
            if self._read(_DEVICE_ID) == _BLOCK_DEVICE:
                return self._base
        raise HarnessError("QEMU has no virtio-blk-device")

    def _read(self, offset: int) -> int:
        return self._line.ask(f"readl {self._base + offset:#x}")

    def _write(self, offset: int, value: int) -> None:
        self._line.post(f"writel {self._base + offset:#x} {value:#x}")

    def _act(self, offset: int, value: int) -> GuestSteps:
        """Write a register on which the device acts, and wait for that."""
        self._write(offset, value)
        self._line.flush()
        return NO_STEPS
