"""What a planted defect is: a name, its history, and the classes that plant it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Defect:
    """One mistake, in the smallest code that has it."""

    name: str
    """Value of the option ``--defect``."""
    year: int
    """When it was fixed or reported; the year of this project if no real device is known for it."""
    source: str
    """Commit or issue that describes it."""
    mechanism: str
    """What goes wrong, in one sentence."""
    rules: tuple[str, ...]
    """Rules that its scenario in ``corpus/defects`` breaks, sorted."""
    mixins: tuple[type, ...]
    """Subclasses of VirtioBlk, BlockBackend, QueuePort, DeviceQueue, Operator or AioContext.

    They call `super()` where they can, so that several defects can be planted together.
    """
