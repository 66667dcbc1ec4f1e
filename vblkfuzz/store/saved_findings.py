"""Which findings an output folder has: every verb that lists or counts findings asks here."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vblkfuzz.errors import InputFileError
from vblkfuzz.suggestion import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable

_NAMED: Final = 3
"""Signatures that an error names."""
FINDINGS: Final = "findings"
"""Folder of an output folder; it has a folder for each finding, named by signature."""


def finding_names(out: Path) -> list[str]:
    """Return the names of the folders of the findings, sorted (none if nothing can be listed).

    A name that begins with a dot is that of a folder which a worker has not finished writing. Links
    and empty folders are no findings.
    """
    try:
        with os.scandir(out / FINDINGS) as listed:
            return sorted(one.name for one in listed if _is_finding(one))
    except OSError:
        return []


def finding_folders(out: Path) -> list[Path]:
    """Return the folders of the findings, in the order of `finding_names`."""
    return [out / FINDINGS / name for name in finding_names(out)]


def _is_finding(entry: os.DirEntry[str]) -> bool:
    if entry.name.startswith(".") or not entry.is_dir(follow_symlinks=False):
        return False
    try:
        with os.scandir(entry.path) as inside:
            return any(inside)
    except OSError:  # its reader says why
        return True


def saved_findings(out: Path) -> frozenset[str]:
    """Return the names of the findings: their signatures (`finding_place`)."""
    return frozenset(finding_names(out))


def named(beginning: str, signatures: Iterable[str], where: str) -> list[str]:
    """Return the signatures that a user has named by one of them, or by its beginning.

    Args:
        beginning: what was typed; a shell that completes the name of a folder adds a slash.
        signatures: those of the findings that there are.
        where: what the user has named before it, for the error.

    Raises:
        InputFileError: none begins like that; the line says which one was probably meant.
    """
    known = sorted(signatures)
    found = begin_like(beginning.rstrip("/") or beginning, known)
    if not found:
        few = f"; there is {', '.join(known[:_NAMED])}" if known else "; there is none"
        more = f" and {len(known) - _NAMED} more" if len(known) > _NAMED else ""
        meant = did_you_mean(beginning, known) or few + more
        raise InputFileError(where, beginning, f"no such finding{meant}")
    return found


def the_one_named(beginning: str, signatures: Iterable[str], where: str) -> str:
    """Return the signature that a user has named by it, or by a beginning that no other one has.

    Raises:
        InputFileError: none begins like that, or several do.
    """
    first, *others = named(beginning, signatures, where)
    if not others:
        return first
    some = ", ".join([first, *others][:_NAMED])
    problem = f"{1 + len(others)} findings begin like that; there is {some}"
    raise InputFileError(where, beginning, problem)


def begin_like(beginning: str, signatures: Iterable[str]) -> list[str]:
    """Return the signature that a user has named, or all that begin with what was typed.

    >>> begin_like("s1", ["s1-reset", "s1-vm_stop", "s4"])
    ['s1-reset', 's1-vm_stop']
    >>> begin_like("s1-reset", ["s1-reset", "s1-reset-stop"])
    ['s1-reset']
    """
    found = [one for one in signatures if one.startswith(beginning)]
    return [beginning] if beginning in found else found
