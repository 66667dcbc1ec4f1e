"""Where the device is: on a PCI bus of a pc, behind a PCI Express port of a q35, or on virtio-mmio.

Only on PCI Express QEMU gives a virtio device the capability with the function level reset (FLR,
x-pcie-flr), and only behind a port (virtio_pci_realize). virtio-mmio is that of a microvm; since
some version after 7.2 it has ioeventfds without KVM, too.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vblkfuzz.targets.qemu.variant import Variant

PCI_SLOT: Final = 4
"""Slot of the device on the machine's bus, or of the root port before it."""
PORT_BUS: Final = 1
"""Number of the bus behind the root port, on which the device is in slot 0."""
MACHINE: Final = MappingProxyType(
    {"pci": "pc", "express": "q35", "mmio": "microvm,rtc=off,auto-kernel-cmdline=off"}
)
"""Type of the machine, by bus."""
MMIO: Final = "virtio-blk-device"
"""Name of the device on virtio-mmio."""
DEVICE_ID: Final = "d0"
_PORT: Final = "port0"
_EJECT_PC, _SELECT_Q35, _EJECT_Q35 = 0xAE08, 0xCD0, 0xCC8
"""Registers of ACPI's PCI hot-plug, of 32 bits (hw/acpi/pcihp.c): the slots to be ejected, and the
bus that they are on."""
_HOTPLUG_BUS: Final = 0
"""Number of the bus behind the port there (acpi-pcihp-bsel)."""


def bus_options(variant: Variant) -> Iterator[str]:
    """Yield the options of the bus: the root port, or the form of virtio-mmio."""
    if variant.bus == "express":
        yield f"-device pcie-root-port,id={_PORT},addr={PCI_SLOT}.0,chassis=1"
    elif variant.bus == "mmio":
        yield "-global virtio-mmio.force-legacy=off"
        if not variant.ioeventfd:
            yield "-global virtio-mmio.ioeventfd=off"


def place_of(variant: Variant) -> dict[str, object]:
    """Return the properties of the device that its bus needs: the driver, and where it is."""
    if variant.bus == "mmio":
        return {"driver": f"virtio-{variant.kind}-device"}
    behind_port = variant.bus == "express"
    place = {"bus": _PORT, "addr": "0.0"} if behind_port else {"addr": f"{PCI_SLOT}.0"}
    return {"driver": f"virtio-{variant.kind}-pci", **place, "disable-legacy": "on"}


def virtio_path(variant: Variant) -> str:
    """Return the QOM path of the virtio device: on PCI it is behind another one."""
    device = f"/machine/peripheral/{DEVICE_ID}"
    return device if variant.bus == "mmio" else f"{device}/virtio-backend"


def ejection(variant: Variant) -> Iterator[str]:
    """Yield the monitor commands that write what a guest writes to let a PCI device go."""
    if variant.bus == "express":
        yield f"o/w {_SELECT_Q35:#x} {_HOTPLUG_BUS:#x}"
        yield f"o/w {_EJECT_Q35:#x} 0x1"
    else:
        yield f"o/w {_EJECT_PC:#x} {1 << PCI_SLOT:#x}"
