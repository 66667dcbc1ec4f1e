"""Where on PCI the device is: on the bus of the machine, or on PCI Express behind a root port.

Only on PCI Express QEMU gives a virtio device the capability with the function level reset (FLR,
x-pcie-flr), and only behind a port (virtio_pci_realize).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vblkfuzz.targets.qemu.variant import Variant

PCI_SLOT: Final = 4
"""Slot of the device on the machine's bus, or of the root port before it."""
PORT_BUS: Final = 1
"""Number of the bus behind the root port, on which the device is in slot 0."""
_PORT: Final = "port0"
_EJECT_PC, _SELECT_Q35, _EJECT_Q35 = 0xAE08, 0xCD0, 0xCC8
"""Registers of ACPI's PCI hot-plug, of 32 bits (hw/acpi/pcihp.c): the slots to be ejected, and the
bus that they are on."""
_HOTPLUG_BUS: Final = 0
"""Number of the bus behind the port there (acpi-pcihp-bsel)."""


def machine_type(variant: Variant) -> str:
    """Return the type of the machine."""
    return "q35" if variant.express else "pc"


def bridge_options(variant: Variant) -> Iterator[str]:
    """Yield the options of the root port, if there is one."""
    if variant.express:
        yield f"-device pcie-root-port,id={_PORT},addr={PCI_SLOT}.0,chassis=1"


def place_of(variant: Variant) -> dict[str, object]:
    """Return the properties of the device that say where it is."""
    return {"bus": _PORT, "addr": "0.0"} if variant.express else {"addr": f"{PCI_SLOT}.0"}


def ejection(variant: Variant) -> Iterator[str]:
    """Yield the monitor commands that write what a guest writes to let the device go."""
    if variant.express:
        yield f"o/w {_SELECT_Q35:#x} {_HOTPLUG_BUS:#x}"
        yield f"o/w {_EJECT_Q35:#x} 0x1"
    else:
        yield f"o/w {_EJECT_PC:#x} {1 << PCI_SLOT:#x}"
