"""The guest's access to virtio-blk-pci or virtio-scsi-pci, by qtest (virtio 1.2, 4.1).

PCI is set up here in place of firmware. A system reset undoes that, so PCI is set up again with
each write of the status.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vblkfuzz.driver.features import scenario_features
from vblkfuzz.targets.qemu.bus import PCI_SLOT, PORT_BUS
from vblkfuzz.targets.qemu.qtest_port import NO_STEPS, QtestPort
from vblkfuzz.targets.qemu.queue_numbers import number_on_device
from vblkfuzz.virtio.features import on_the_wire
from vblkfuzz.virtio.layout import STATUS_ACKNOWLEDGE, STATUS_DRIVER, STATUS_FEATURES_OK
from vblkfuzz.virtio.request.blk import F_MQ, WRITEBACK_AT
from vblkfuzz.virtio.request.scsi_event import F_CHANGE, F_HOTPLUG

if TYPE_CHECKING:
    from vblkfuzz.driver.transport import GuestSteps
    from vblkfuzz.scenario.device import DeviceConfig
    from vblkfuzz.virtio.queue import Areas

_SLOT: Final = 0x8000_0000 | PCI_SLOT << 11
_BEHIND_PORT: Final = 0x8000_0000 | PORT_BUS << 16
_BAR: Final = 0xE000_0000
"""Address of BAR 4, within the PCI hole of a machine with little RAM."""
_COMMAND: Final = 0x04
_MEMORY_AND_MASTER: Final = 0x6
_BAR4: Final = 0x20
_CAPABILITIES: Final = 0x34
_VENDOR_CAPABILITY, _EXPRESS_CAPABILITY = 0x09, 0x10
_DEVICE_CONTROL, _FUNCTION_RESET = 0x08, 0x8000
"""Register in the capability of PCI Express, and its bit that resets the function."""
_ROOT_PORT: Final = 0x000C_1B36
"""Vendor and device of pcie-root-port."""
_BUSES, _WINDOW = 0x18, 0x20
"""Registers of a bridge: the numbers of the buses, and the memory behind it."""
_COMMON, _NOTIFY, _ISR, _DEVICE = 1, 2, 3, 4
"""Types of virtio's PCI capabilities (4.1.4)."""

_CONFIG_CHANGED: Final = 2
"""Bit of the ISR status (4.1.4.5)."""
_NOTHING: Final = 0xFF
"""What a read gives where there is no device: after a system reset."""

# Offsets in the common configuration (4.1.4.3).
_FEATURE_SELECT, _FEATURES, _DRIVER_SELECT, _DRIVER_FEATURES = 0x00, 0x04, 0x08, 0x0C
_STATUS, _GENERATION, _QUEUE_SELECT, _QUEUE_SIZE, _QUEUE_ENABLE = 0x14, 0x15, 0x16, 0x18, 0x1C
_QUEUE_NOTIFY_OFF, _QUEUE_DESC, _QUEUE_RESET = 0x1E, 0x20, 0x3A

_BEFORE_A_READ: Final = frozenset(
    {
        STATUS_ACKNOWLEDGE | STATUS_DRIVER,
        STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK,
    }
)
"""Device statuses after which a driver reads, its offer or the status (3.1.1): they are posted."""


_EVENTS: Final = 1 << F_HOTPLUG | 1 << F_CHANGE
"""Features of virtio-scsi that the driver accepts in any case; a trace does not have them."""


class _Places(NamedTuple):
    """Addresses within BAR 4; the same after each reset."""

    common: int
    isr: int
    device: int
    notify: list[int]
    """By queue."""
    express: int
    """Offset of the capability of PCI Express in the configuration space; 0: there is none."""


class PciPort(QtestPort):
    """Satisfies `driver.port.Port`."""

    def __init__(self, ram: int) -> None:
        """Map guest memory.

        Args:
            ram: memfd of guest memory; stays open.
        """
        super().__init__(ram)
        self._config: DeviceConfig
        self._places: _Places
        self._device = _SLOT
        """Address of its configuration space."""
        self._status = 0
        """Device status that the driver wrote last."""
        self._config_called = False

    def power_on(self, config: DeviceConfig, fds: list[int]) -> None:
        """Set up PCI if the process is a new one; clear guest memory, which no device uses now."""
        self._config = config
        if fds:
            self.restore(fds)
            self._set_up_pci()
            self._places = self._find_places()
        if self._is_scsi:  # the unit takes the size of its disk only now
            self._write_status(0)
        self._config_called = False
        self._generation = self._read_generation()
        self._clear_memory()

    def power_off(self) -> None:
        """Reset the device."""
        self._write_status(0)

    def restore(self, fds: list[int]) -> None:
        """Use the process behind this connection: it has loaded the device, or is a new one."""
        super().restore(fds)
        self._device = _SLOT
        if self._config_read(0, "l") == _ROOT_PORT:
            self._device = _BEHIND_PORT

    # --- Transport ----------------------------------------------------------------------------

    def device_features(self) -> int:
        """Return the offered features, without those that the scenario's device lacks."""
        offered = self._read_features()
        if self._is_scsi:  # it has several queues without a feature
            offered = on_the_wire(offered) | 1 << F_MQ
        return offered & scenario_features(self._config)

    def _read_features(self) -> int:
        select = f"writel {self._places.common + _FEATURE_SELECT:#x}"
        read = f"readl {self._places.common + _FEATURES:#x}"
        low, high = self._line.ask_all((f"{select} 0", read, f"{select} 1", read))
        return low | high << 32

    def accept_features(self, features: int) -> None:
        """Write the driver's feature bits."""
        if self._is_scsi:  # events are for those that ask for them
            features = on_the_wire(features) | self._read_features() & _EVENTS
        for half in (0, 1):
            self._write("l", _DRIVER_SELECT, half)
            self._write("l", _DRIVER_FEATURES, features >> 32 * half & 0xFFFF_FFFF)

    def set_up_queue(self, index: int, layout: Areas) -> GuestSteps:
        """Write size and addresses of a queue and enable it."""
        self._select(index)
        self._write("w", _QUEUE_SIZE, layout.size)
        for place, address in enumerate((layout.desc, layout.avail, layout.used)):
            self._write("l", _QUEUE_DESC + 8 * place, address)
            self._write("l", _QUEUE_DESC + 8 * place + 4, 0)
        self._write("w", _QUEUE_ENABLE, 1)
        self._line.flush()
        return NO_STEPS

    def write_status(self, value: int) -> GuestSteps:
        """Write the device status."""
        self._write_status(value)
        return NO_STEPS

    def reset_function(self) -> GuestSteps:
        """Reset the PCI function (PCIe 6.6.2), if it can be, and virtio with it."""
        express = self._places.express
        if not express:
            self._write_status(0)
            return NO_STEPS
        control = self._config_read(express + _DEVICE_CONTROL, "w")
        self._config_write(express + _DEVICE_CONTROL, control | _FUNCTION_RESET, "w")
        self._status = 0
        self._set_up_pci()
        self._line.flush()
        return NO_STEPS

    def read_status(self) -> int:
        """Read the device status.

        A driver that does not use the device sets up PCI first: a system reset may have undone it.
        """
        if not self._status:
            self._set_up_pci()
        return self._line.ask(f"readb {self._places.common + _STATUS:#x}")

    def queue_enabled(self, index: int) -> bool:
        """Read whether a queue is enabled."""
        self._select(index)
        return bool(self._line.ask(f"readw {self._places.common + _QUEUE_ENABLE:#x}"))

    def config_generation(self) -> int:
        """Read the generation of the device configuration, relative to power-on."""
        return (self._read_generation() - self._generation) & 0xFF

    def _read_generation(self) -> int:
        return self._line.ask(f"readb {self._places.common + _GENERATION:#x}")

    def capacity(self) -> int:
        """Read the lower half of the capacity, in sectors: disks of scenarios are small."""
        return self._line.ask(f"readl {self._places.device:#x}")

    def writeback(self) -> int:
        """Read the cache mode from the device configuration."""
        return self._line.ask(f"readb {self._places.device + WRITEBACK_AT:#x}")

    def set_writeback(self, mode: int) -> GuestSteps:
        """Write the cache mode into the device configuration."""
        self._line.post(f"writeb {self._places.device + WRITEBACK_AT:#x} {mode:#x}")
        self._line.flush()
        return NO_STEPS

    def kick(self, index: int) -> GuestSteps:
        """Write the queue's notify register; one that the device does not have has none."""
        if index < len(self._places.notify):
            number = number_on_device(self._config.kind, index)
            self._line.post(f"writew {self._places.notify[number]:#x} {number:#x}")
            self._line.flush()
        return NO_STEPS

    def kick_inband(self, index: int) -> GuestSteps:
        """As `kick`: the notify register is the only way."""
        return self.kick(index)

    def reset_queue(self, index: int) -> GuestSteps:
        """Reset one queue (4.1.4.3.2)."""
        self._select(index)
        self._write("w", _QUEUE_RESET, 1)
        self._line.flush()
        return NO_STEPS

    def take_call(self, index: int) -> bool:
        """Read the ISR status, which clears it: without MSI-X all queues share one interrupt."""
        raised = self._line.ask(f"readb {self._places.isr:#x}")
        if raised & _CONFIG_CHANGED and raised != _NOTHING:
            self._config_called = True
        return bool(raised & 1)

    def take_config_call(self) -> bool:
        """Return whether such a read has shown a change of the configuration."""
        called, self._config_called = self._config_called, False
        return called

    # --- PCI ----------------------------------------------------------------------------------

    @property
    def _is_scsi(self) -> bool:
        return self._config.kind == "scsi"

    def _select(self, index: int) -> None:
        self._write("w", _QUEUE_SELECT, number_on_device(self._config.kind, index))

    def _write(self, width: str, offset: int, value: int) -> None:
        self._line.post(f"write{width} {self._places.common + offset:#x} {value:#x}")

    def _write_status(self, value: int) -> None:
        """Write the device status.

        A reset sets up PCI first, as `read_status` does: a driver begins with one of them.
        """
        if not value:
            self._set_up_pci()
        self._status = value
        self._write("b", _STATUS, value)
        if value not in _BEFORE_A_READ:
            self._line.flush()

    def _set_up_pci(self) -> None:
        """Set the address of BAR 4; enable memory decoding and bus mastering, in a port as well."""
        if self._device == _BEHIND_PORT:
            self._config_write(_BUSES, PORT_BUS << 16 | PORT_BUS << 8, at=_SLOT)
            self._config_write(_WINDOW, _BAR | _BAR >> 16, at=_SLOT)
            self._config_write(_COMMAND, _MEMORY_AND_MASTER, at=_SLOT)
        self._config_write(_BAR4, _BAR)
        self._config_write(_BAR4 + 4, 0)
        self._config_write(_COMMAND, _MEMORY_AND_MASTER)

    def _config_write(self, offset: int, value: int, width: str = "l", at: int = 0) -> None:
        """Write into the configuration space of the device, or that at another address."""
        self._line.post(f"outl 0xcf8 {(at or self._device) | offset & ~3:#x}")
        self._line.post(f"out{width} {0xCFC + (offset & 3):#x} {value:#x}")

    def _config_read(self, offset: int, width: str) -> int:
        self._line.post(f"outl 0xcf8 {self._device | offset & ~3:#x}")
        return self._line.ask(f"in{width} {0xCFC + (offset & 3):#x}")

    def _find_places(self) -> _Places:
        """Read the addresses from the PCI capabilities (4.1.4)."""
        offsets: dict[int, int] = {}
        multiplier = express = 0
        at = self._config_read(_CAPABILITIES, "b")
        while at:
            if self._config_read(at, "b") == _VENDOR_CAPABILITY:
                kind = self._config_read(at + 3, "b")
                if kind <= _DEVICE:
                    offsets[kind] = _BAR + self._config_read(at + 8, "l")
                if kind == _NOTIFY:
                    multiplier = self._config_read(at + 16, "l")
            elif self._config_read(at, "b") == _EXPRESS_CAPABILITY:
                express = at
            at = self._config_read(at + 1, "b")
        common = offsets[_COMMON]
        notify = []
        for index in range(self._line.ask(f"readw {common + 0x12:#x}")):
            self._line.post(f"writew {common + _QUEUE_SELECT:#x} {index}")
            off = self._line.ask(f"readw {common + _QUEUE_NOTIFY_OFF:#x}")
            notify.append(offsets[_NOTIFY] + off * multiplier)
        return _Places(common, offsets[_ISR], offsets[_DEVICE], notify, express)
