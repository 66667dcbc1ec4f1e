"""Variants of a QEMU process: what is fixed for its life, and which one a scenario needs.

A backend that holds requests needs the NBD server; all other scenarios run on files, which is
faster. A process on an NBD disk keeps its capacity and its error policy, so settings that cannot
matter in a scenario have their default: the fewer variants, the fewer processes have to start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vblkfuzz.scenario.alphabet.backend import RESULTS

if TYPE_CHECKING:
    from vblkfuzz.scenario.scenario import Scenario
    from vblkfuzz.targets.options import TargetOptions

_OK: Final = RESULTS.index("ok")
_ENOSPC: Final = RESULTS.index("enospc")
_STOPS: Final = frozenset({"stop", "enospc"})


class NbdVariant(NamedTuple):
    """Settings that count on a disk of the NBD server only: a file never fails."""

    sectors: int
    """Capacity: an NBD disk keeps its size."""
    werror: str
    rerror: str


class Variant(NamedTuple):
    """Settings of the device that are fixed for the life of a QEMU process."""

    iothread: bool
    ioeventfd: bool
    read_only: bool = False
    nbd: NbdVariant | None = None
    """None: its disks are files."""
    serial: bool = False
    """Whether its threads go on one at a time, by a schedule (`targets.qemu.gated`)."""

    kind: str = "blk"
    """As in `scenario.device`."""
    packed: bool = False
    """Whether the device offers packed rings."""

    chardev: str = ""
    """Id of the character device to a vhost-user back-end; empty: the device has a disk."""

    @property
    def ignores_errors(self) -> bool:
        """Whether a request that has failed may end well for the guest."""
        return self.nbd is not None and "ignore" in (self.nbd.werror, self.nbd.rerror)

    @property
    def stops_on_errors(self) -> bool:
        """Whether a request that has failed may stop the VM."""
        return self.nbd is not None and not _STOPS.isdisjoint((self.nbd.werror, self.nbd.rerror))


def variant_of(scenario: Scenario, options: TargetOptions) -> Variant:
    """Return the variant that a scenario runs on.

    Args:
        scenario: the scenario.
        options: whether there is an IOThread, and whether its threads go on one at a time, unless
            the scenario decides.
    """
    config = scenario.device
    wanted = config.iothreads > 0 if options.iothread is None else options.iothread
    serial = options.is_serial(scenario)
    holds = any(operation.name == "hold" for operation in scenario.ops)
    nbd = _nbd_variant(scenario) if holds else None
    # QEMU refuses an IOThread without ioeventfd.
    with_iothread = wanted and config.ioeventfd
    flags = with_iothread, config.ioeventfd, config.read_only
    return Variant(*flags, nbd, serial, config.kind, packed=config.ring == "packed")


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
