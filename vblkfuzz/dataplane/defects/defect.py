"""What a planted defect is: a name, its history, and the classes that plant it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Defect:
    """One mistake, as small as it can be written down."""

    name: str
    """As in ``--defect``."""
    year: int
    """When it was fixed or reported; that of this project for those that nobody made yet."""
    source: str
    """Commit or issue that tells of it."""
    mechanism: str
    """What goes wrong, in one sentence."""
    rules: tuple[str, ...]
    """Rules that its scenario in ``corpus/defects`` breaks, sorted."""
    mixins: tuple[type, ...]
    """Subclasses of VirtioBlk, BlockBackend, QueuePort, DeviceQueue or Operator that differ.

    They call `super()`, so that several defects go together.
    """
