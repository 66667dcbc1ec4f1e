"""The model with probes, in this process: what measures inputs and what fuzzes them starts it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vblkfuzz.feedback.instrument import instrument

if TYPE_CHECKING:
    from vblkfuzz.targets.model_modes import InlineModel, ProcessesModel


class Probed(NamedTuple):
    """The model, not started yet, and its coverage."""

    target: InlineModel | ProcessesModel
    coverage: memoryview
    """The probes write here; see `feedback.region`."""
    blind_spots: str
    """See `Instrumenter.blind_spots`."""


def probed_model(device: str, mode: str) -> Probed:
    """Import guest and device with probes. Call once per process.

    Args:
        device: as in ``--device``.
        mode: as in ``--mode``.

    Raises:
        UsageError: no such device or mode.
        RuntimeError: guest or device modules were imported before, so they cannot be instrumented.
    """
    finder = instrument(device)
    from vblkfuzz.process.arena import Arena
    from vblkfuzz.targets.device_class import device_class
    from vblkfuzz.targets.model import model

    arena = Arena()
    target = model(device, mode, arena, device_class(device, finder.load_file))
    finder.connect(arena.coverage)
    return Probed(target, arena.coverage, finder.blind_spots)
