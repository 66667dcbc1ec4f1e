"""Which findings an output folder has: every verb that lists or counts findings asks here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

FINDINGS: Final = "findings"
"""Folder of an output folder; it has a folder for each finding, named by signature."""


def finding_folders(out: Path) -> list[Path]:
    """Return the folders of the findings, by signature (none if nothing can be listed).

    A name that begins with a dot is that of a folder which a worker has not finished writing.
    """
    try:
        found = [path for path in (out / FINDINGS).iterdir() if path.is_dir()]
    except OSError:
        return []
    return sorted(path for path in found if not path.name.startswith("."))


def saved_findings(out: Path) -> frozenset[str]:
    """Return the signatures of the findings."""
    return frozenset(path.name for path in finding_folders(out))


def begin_like(beginning: str, signatures: Iterable[str]) -> list[str]:
    """Return the signature that a user has named, or all that begin with what was typed.

    >>> begin_like("s1", ["s1-reset", "s1-vm_stop", "s4"])
    ['s1-reset', 's1-vm_stop']
    >>> begin_like("s1-reset", ["s1-reset", "s1-reset-stop"])
    ['s1-reset']
    """
    found = [one for one in signatures if one.startswith(beginning)]
    return [beginning] if beginning in found else found
