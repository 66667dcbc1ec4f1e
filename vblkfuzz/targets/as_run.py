"""The scenario that a target really runs, where the target decides a field of its device.

With ``--iothread`` or ``--no-iothread`` all scenarios run with or without an IOThread, whatever
they say; with a device of one kind, such as virtio-scsi-pci of `qemu`, all run on that kind; a
target that has virtio-blk or split rings only, or no F_IN_ORDER, runs that, and one that has a
single IOThread runs no scenario on more. What is judged, saved and minimized is the scenario with
the fields as it ran, so it shows the same without the option.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vblkfuzz.scenario.device import DeviceConfig
    from vblkfuzz.scenario.scenario import Scenario
    from vblkfuzz.targets.target import Target


DECIDED: Final = ("kind", "ring", "ioeventfd", "in_order")
"""Fields of a device that some targets decide: by an attribute of the name, None: each scenario
does."""
_MODEL: Final = {"kind": "blk", "ring": None, "ioeventfd": None, "in_order": None}
"""What a target decides that has no such attributes."""


def as_run(target: Target, scenario: Scenario) -> Scenario:
    """Return a scenario as the target runs it; the same object if nothing changes it."""
    return with_iothread(with_decided(target, scenario), getattr(target, "iothread", None))


def with_iothread(scenario: Scenario, wanted: bool | None) -> Scenario:
    """Return a scenario with or without an IOThread; the same object if nothing changes."""
    device = scenario.device
    if wanted is None or wanted == (device.iothreads > 0):
        return scenario
    return replace(scenario, device=replace(device, iothreads=int(wanted)))


def with_decided(target: object, scenario: Scenario) -> Scenario:
    """Return a scenario with the fields that a target decides; the same object if none changes."""
    device = scenario.device
    decided = {name: getattr(target, name, _MODEL[name]) for name in DECIDED}
    changes: dict[str, Any] = {
        name: value
        for name, value in decided.items()
        if value is not None and value != getattr(device, name)
    }
    kind = changes.get("kind", device.kind)
    if kind == "blk" and device.units > 1:
        changes["units"] = 1
    if most := getattr(target, "most_iothreads", None):
        allowed = most(kind)
        if device.iothreads > allowed:
            changes["iothreads"] = allowed
    return replace(scenario, device=replace(device, **changes)) if changes else scenario


def without_effect(asked: DeviceConfig, ran: DeviceConfig) -> Iterator[str]:
    """Yield the fields of a device in which a target did not run what a scenario asks for.

    Fewer IOThreads are such a field, but not none or the first one, which an option asks for.
    """
    for name in (*DECIDED, "units"):
        if getattr(asked, name) != getattr(ran, name):
            yield name
    if asked.iothreads > ran.iothreads > 0:
        yield "iothreads"
