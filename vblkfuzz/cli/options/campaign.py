"""The device of a campaign: it is checked before workers start."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vblkfuzz.errors import UsageError
from vblkfuzz.trace.witness import MODEL as MODEL_WITNESSES
from vblkfuzz.trace.witness import Witness

if TYPE_CHECKING:
    from vblkfuzz.targets.options import TargetOptions


class Checked(NamedTuple):
    """What a campaign runs on; it has been checked to start."""

    device: str
    """Name of the device, with defects."""
    witnesses: Witness


def check_device(
    target: str, device: str | None, defects: tuple[str, ...], mode: str, options: TargetOptions
) -> Checked:
    """Check, before workers start, that the device exists and starts; return its full name.

    Raises:
        UsageError: there is no such target, device, defect or mode.
        HarnessError: a real device does not start.
    """
    from vblkfuzz.scenario.former_names import current_name
    from vblkfuzz.targets.device_class import defective, device_class
    from vblkfuzz.targets.model import check_mode
    from vblkfuzz.targets.registry import MODEL, default_device, open_target

    name = device or default_device(target)
    if target == MODEL:
        check_mode(mode)
        name = defective(current_name(name), defects)
        device_class(name)
        return Checked(name, MODEL_WITNESSES)
    if defects:
        raise UsageError(f"--defect: defects are planted in the {MODEL} only")
    with open_target(target, name, mode, options) as started:
        return Checked(name, getattr(started, "witnesses", MODEL_WITNESSES))


def listed_bugs(target: str, device: str) -> tuple[tuple[str, str], ...]:
    """Return the known bugs of a device of the model; a real device has no such list."""
    from vblkfuzz.targets.device_class import device_class
    from vblkfuzz.targets.registry import MODEL

    return tuple(device_class(device).known.items()) if target == MODEL else ()
