"""The scenario that a target really runs, where the target decides a field of its device.

With ``--iothread`` or ``--no-iothread`` all scenarios run with or without an IOThread, whatever
they say; with a device of one kind, such as virtio-scsi-pci of `qemu`, all run on that kind; a
target that has virtio-blk only runs that. What is judged, saved and minimized is the scenario with
the fields as it ran, so it shows the same without the option.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vblkfuzz.scenario.scenario import Scenario
    from vblkfuzz.targets.target import Target


def as_run(target: Target, scenario: Scenario) -> Scenario:
    """Return a scenario as the target runs it; the same object if nothing changes it."""
    scenario = with_kind(scenario, getattr(target, "kind", "blk"))
    return with_iothread(scenario, getattr(target, "iothread", None))


def with_iothread(scenario: Scenario, wanted: bool | None) -> Scenario:
    """Return a scenario with or without an IOThread; the same object if nothing changes."""
    device = scenario.device
    if wanted is None or wanted == (device.iothreads > 0):
        return scenario
    return replace(scenario, device=replace(device, iothreads=int(wanted)))


def with_kind(scenario: Scenario, wanted: str | None) -> Scenario:
    """Return a scenario on a device of a kind; the same object if nothing changes."""
    device = scenario.device
    if wanted is None or wanted == device.kind:
        return scenario
    changes: dict[str, Any] = {"kind": wanted}
    return replace(scenario, device=replace(device, **changes))
