"""Variants of a QEMU process: what is fixed for its life, and which one a scenario needs.

A backend that holds requests needs the NBD server; all other scenarios run on files, which is
faster. A process on an NBD disk keeps its capacity and its error policy, so settings that cannot
matter in a scenario have their default: the fewer variants, the fewer processes have to start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from vblkfuzz.scenario.alphabet.backend import RESULTS
from vblkfuzz.scenario.alphabet.guest import RESET_WAYS
from vblkfuzz.scenario.alphabet.ops import CODES

if TYPE_CHECKING:
    from vblkfuzz.scenario.device import DeviceConfig
    from vblkfuzz.scenario.scenario import Scenario
    from vblkfuzz.targets.options import TargetOptions

Bus = Literal["pci", "express", "mmio"]
_OK: Final = RESULTS.index("ok")
_ENOSPC: Final = RESULTS.index("enospc")
_RESET: Final = CODES["reset"]
_FUNCTION: Final = RESET_WAYS.index("function")
_STOPS: Final = frozenset({"stop", "enospc"})


class NbdVariant(NamedTuple):
    """Settings that count on a disk of the NBD server only: a file never fails."""

    sectors: int
    """Capacity: an NBD disk keeps its size."""
    werror: str
    rerror: str


class Variant(NamedTuple):
    """Settings of the device that are fixed for the life of a QEMU process."""

    iothreads: int
    """Number of IOThreads; 0: the dataplane runs in the main loop."""
    ioeventfd: bool
    read_only: bool = False
    nbd: NbdVariant | None = None
    """None: its disks are files."""
    serial: bool = False
    """Whether its threads go on one at a time, by a schedule (`targets.qemu.gated`)."""

    kind: str = "blk"
    """As in `scenario.device`."""
    units: int = 1
    """Logical units of virtio-scsi."""
    packed: bool = False
    """Whether the device offers packed rings."""
    in_order: bool = False
    """Whether it offers F_IN_ORDER."""

    chardev: str = ""
    """Id of the character device to a vhost-user back-end; empty: the device has a disk."""

    bus: Bus = "pci"
    """On PCI Express a function can be reset; scenarios that need no such reset do without, since a
    conventional bus needs less to be set up."""

    @property
    def ignores_errors(self) -> bool:
        """Whether a request that has failed may end well for the guest."""
        return self.nbd is not None and "ignore" in (self.nbd.werror, self.nbd.rerror)

    @property
    def stops_on_errors(self) -> bool:
        """Whether a request that has failed may stop the VM."""
        return self.nbd is not None and not _STOPS.isdisjoint((self.nbd.werror, self.nbd.rerror))


def variant_of(scenario: Scenario, options: TargetOptions, *, mmio: bool = False) -> Variant:
    """Return the variant that a scenario runs on.

    Args:
        scenario: the scenario.
        options: whether there is an IOThread, and whether its threads go on one at a time, unless
            the scenario decides.
        mmio: the device is on virtio-mmio.
    """
    config = scenario.device
    serial = options.is_serial(scenario)
    holds = any(operation.name == "hold" for operation in scenario.ops)
    nbd = _nbd_variant(scenario) if holds else None
    iothreads = iothreads_of(config, options.iothread)
    flags = iothreads, config.ioeventfd, config.read_only
    bus: Bus = "mmio" if mmio else _pci_bus(scenario)
    units = config.units if config.kind == "scsi" else 1
    rings = config.ring == "packed", config.in_order
    return Variant(*flags, nbd, serial, config.kind, units, *rings, bus=bus)


def _pci_bus(scenario: Scenario) -> Bus:
    resets = (one.a == _FUNCTION for one in scenario.ops if one.code == _RESET)
    return "express" if any(resets) else "pci"


def iothreads_of(config: DeviceConfig, wanted: bool | None) -> int:
    """Return the number of IOThreads; `wanted` is whether there are any, None: as in the scenario.

    QEMU refuses an IOThread without ioeventfd.
    """
    if wanted is False or not config.ioeventfd:
        return 0
    return max(config.iothreads, int(bool(wanted)))


def _nbd_variant(scenario: Scenario) -> NbdVariant:
    config = scenario.device
    completions = [one for one in scenario.ops if one.name == "complete"]
    results = {operation.b for operation in completions} - {_OK}
    if not results:
        return NbdVariant(config.disk_sectors, "report", "report")
    werror = config.werror
    if werror == "enospc" and _ENOSPC not in results:
        werror = "report"
    if werror == "stop" and config.read_only:
        # The VM would stop again at each retry of a write that the disk refuses.
        werror = "report"
    return NbdVariant(config.disk_sectors, werror, config.rerror)
