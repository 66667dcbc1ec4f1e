"""Target `model`: start here. It runs the dataplane in Python, in a mode of `targets.model_modes`.

fuzz process    Supervisor (mode processes), or everything below (mode inline)
|- guest       GuestDriver
`- device      turnstile, vCPU, main loop, IOThreads, disk
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.errors import UsageError
from vblkfuzz.limits import MEMORY_LIMIT_MB
from vblkfuzz.scenario.former_names import current_name
from vblkfuzz.targets.target_kind import TargetKind

if TYPE_CHECKING:
    from vblkfuzz.dataplane.virtio_blk import VirtioBlk
    from vblkfuzz.process.arena import Arena
    from vblkfuzz.targets.model_modes import InlineModel, ProcessesModel
    from vblkfuzz.targets.options import TargetOptions

MODES: Final = ("processes", "inline")


def check_mode(mode: str) -> None:
    """Raise UsageError if there is no such mode."""
    if mode not in MODES:
        raise UsageError(f"mode {mode}: expected {' or '.join(MODES)}")


def model(
    device: str,
    mode: str,
    arena: Arena | None = None,
    device_class: type[VirtioBlk] | None = None,
    memory_mb: int = MEMORY_LIMIT_MB,
) -> InlineModel | ProcessesModel:
    """Return the model in a mode, not started yet.

    Args:
        device: as in ``--device``.
        mode: as in ``--mode``.
        arena: shared memory to use; None: a new arena.
        device_class: the class that `device` names; None: it is looked up.
        memory_mb: MiB that a user's device may take; 0: no limit.

    Raises:
        UsageError: there is no such device or mode.
    """
    from vblkfuzz.process.arena import Arena
    from vblkfuzz.process.own_code import OwnCode
    from vblkfuzz.targets.device_class import device_class as find_device
    from vblkfuzz.targets.model_modes import AloneModel, InlineModel, ProcessesModel

    check_mode(mode)
    device = current_name(device)
    found = device_class or find_device(device)
    if mode == ProcessesModel.mode:
        return ProcessesModel(device, arena or Arena(), found, memory_mb)
    if OwnCode(found):
        return AloneModel(device, arena or Arena(), found, memory_mb)
    return InlineModel(device, arena or Arena(), found)


def _open(device: str, mode: str, options: TargetOptions) -> InlineModel | ProcessesModel:
    """Return the model; of the options, only the limit of memory has an effect on it."""
    return model(device, mode, memory_mb=options.rss_limit_mb)


TARGET: Final = TargetKind(
    summary="model of the virtio-blk dataplane of QEMU, in Python",
    device="patch-v4",
    open=_open,
    without=frozenset(),
    ignores=frozenset({"kind", "units"}),
    quick_mode="inline",
)
