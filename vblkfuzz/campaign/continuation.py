"""Going on in an output folder: what it already has, and whether a campaign may use it.

Findings and corpus belong to one device on one target: a corpus of another device is a bad start,
and its findings could not be told from the new ones. So the user must ask for that.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vblkfuzz.counted import counted
from vblkfuzz.errors import InputFileError, UsageError
from vblkfuzz.scenario.artifact import read_input
from vblkfuzz.scenario.former_names import current_name
from vblkfuzz.store.finding_files import ARTIFACT
from vblkfuzz.store.finding_place import signature_in
from vblkfuzz.store.folder import PARTS
from vblkfuzz.store.history import LEDGER
from vblkfuzz.store.saved_findings import finding_folders, saved_findings
from vblkfuzz.store.summary import Earlier

if TYPE_CHECKING:
    from vblkfuzz.store.history import CampaignRecord, History

_NAMED: Final = 5
"""Findings that are named; the others are counted."""
ANYWAY: Final = "--other-device"
"""The option that allows another device or target in a folder."""


def check_folder(out: Path) -> None:
    """Check that a folder is new, empty, or one of campaigns; hidden files do not count.

    Raises:
        UsageError: it has other files, or a name that libFuzzer and the ledger cannot have.
    """
    if any("\ud800" <= char <= "\udfff" for char in str(out)):
        raise UsageError(f"{out}: expected a name that the locale can read; choose another --out")
    if not out.is_dir() or (out / LEDGER).exists():
        return
    try:
        others = sorted(path.name for path in out.iterdir() if path.name not in PARTS)
    except OSError:
        return  # `folder.claimed` says why
    for name in others:
        if not name.startswith((".", LEDGER)):  # what was beside a ledger that is gone
            expected = "expected a new folder or the output folder of a campaign"
            raise UsageError(f"{out}: {expected}, found {name} in it; choose another --out")


def earlier_of(campaigns: tuple[CampaignRecord, ...]) -> Earlier:
    """Return what campaigns did, together."""
    execs = sum(one.execs for one in campaigns)
    return Earlier(len(campaigns), execs, sum(one.seconds for one in campaigns))


def check_same(
    out: Path, earlier: tuple[CampaignRecord, ...], target: str, device: str, *, anyway: bool
) -> None:
    """Check that the campaigns of the folder ran on this target and device.

    Without a ledger, the first finding that can be read says on which they ran.

    Raises:
        UsageError: one of them did not, and the user has not allowed it.
    """
    others = [(one.target, one.device) for one in earlier if not _is_on(one, target, device)]
    if not earlier:
        others = [one for one in _first_found_on(out) if one != (target, device)]
    if others and not anyway:
        raise UsageError(
            f"{out}: has campaigns on {', '.join(others[-1])}, not on {target}, {device}; "
            f"choose another --out, or allow it with {ANYWAY}"
        )


def _first_found_on(out: Path) -> list[tuple[str, str]]:
    """Return target and device of the first finding that can be read; empty: there is none."""
    for folder in finding_folders(out):
        with suppress(InputFileError):
            found = read_input(str(folder / ARTIFACT))
            return [(found.target, current_name(found.device))]
    return []


def _is_on(record: CampaignRecord, target: str, device: str) -> bool:
    # Versions that did not record the end recorded the model as the target, whatever it was.
    any_target = record.ended == "" and not record.restored
    if not record.device:  # no file says it
        return True
    return record.device == device and (any_target or record.target == target)


def said_of(out: Path, history: History) -> str:
    """Say what the folder already has; empty if that is nothing."""
    with os.scandir(out / "corpus") as listed:
        inputs = sum(1 for one in listed if one.is_file())
    findings = len(saved_findings(out))
    has = f"{counted(inputs, 'input')}, {counted(findings, 'finding')}"
    if not history.campaigns:
        lost = "but no ledger of a campaign: figures begin anew, or restore it with"
        return f"{out}: {has}, {lost} vblkfuzz status --rebuild" if inputs or findings else ""
    first, earlier = history.campaigns[0], history.campaigns
    return (
        f"{out} goes on: begun {first.started}, {counted(len(earlier), 'campaign')}, "
        f"{counted(history.execs, 'execution')}, {has}{_untold(out, history)}"
    )


def _untold(out: Path, history: History) -> str:
    """Name the findings that no campaign told of: it was killed, or they came from elsewhere."""
    untold = sorted(
        one for one in saved_findings(out) if signature_in(one) not in history.sightings
    )
    more = f" and {len(untold) - _NAMED} more" if len(untold) > _NAMED else ""
    return f"; told of by no campaign: {', '.join(untold[:_NAMED])}{more}" if untold else ""
