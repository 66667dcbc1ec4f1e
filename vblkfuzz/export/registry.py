"""Exports by name. All are found by entry point, those of other packages as well.

To add one, see CONTRIBUTING.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.entry_points import Registry
from vblkfuzz.export.export import Export

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint


def _export(named: object, _: EntryPoint) -> Export | None:
    return named if isinstance(named, Export) else None


EXPORTS: Final = Registry("export", "an Export", _export)
