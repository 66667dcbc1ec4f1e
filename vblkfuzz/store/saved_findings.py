"""Which findings an output folder has: `fuzz`, `status` and `triage` count these."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vblkfuzz.store.atomic import TEMPORARY

if TYPE_CHECKING:
    from pathlib import Path


def saved_findings(out: Path) -> frozenset[str]:
    """Return the signatures with a folder in ``findings/`` (empty if there is none)."""
    try:
        found = [path for path in (out / "findings").iterdir() if path.is_dir()]
    except OSError:
        return frozenset()
    return frozenset(path.name for path in found if not path.name.startswith(TEMPORARY))
