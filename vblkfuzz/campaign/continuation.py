"""Going on in an output folder: what it already has, and whether a campaign may use it.

Findings and corpus belong to one device on one target: a corpus of another device is a bad start,
and its findings could not be told from the new ones. So the user must ask for that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.counted import counted
from vblkfuzz.errors import UsageError
from vblkfuzz.store.folder import PARTS
from vblkfuzz.store.history import LEDGER, CampaignRecord, read_history
from vblkfuzz.store.saved_findings import saved_findings

if TYPE_CHECKING:
    from pathlib import Path

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
        if not name.startswith("."):
            expected = "expected a new folder or the output folder of a campaign"
            raise UsageError(f"{out}: {expected}, found {name} in it; choose another --out")


def earlier_campaigns(out: Path) -> tuple[CampaignRecord, ...]:
    """Return the campaigns that have used the folder.

    Raises:
        InputFileError: the ledger cannot be read.
    """
    return read_history(out / LEDGER).campaigns


def check_same(
    out: Path, earlier: tuple[CampaignRecord, ...], target: str, device: str, *, anyway: bool
) -> None:
    """Check that the campaigns of the folder ran on this target and device.

    Raises:
        UsageError: one of them did not, and the user has not allowed it.
    """
    others = [one for one in earlier if not _is_on(one, target, device)]
    if others and not anyway:
        one = others[-1]
        raise UsageError(
            f"{out}: has campaigns on {one.target}, {one.device}, not on {target}, {device}; "
            f"choose another --out, or allow it with {ANYWAY}"
        )


def _is_on(record: CampaignRecord, target: str, device: str) -> bool:
    # Versions that did not record the end recorded the model as the target, whatever it was.
    any_target = record.ended == ""
    return record.device == device and (any_target or record.target == target)


def said_of(out: Path, earlier: tuple[CampaignRecord, ...]) -> str:
    """Say what the folder already has; empty if there was no campaign."""
    if not earlier:
        return ""
    first, execs = earlier[0], sum(one.execs for one in earlier)
    inputs = sum(1 for path in (out / "corpus").iterdir() if path.is_file())
    return (
        f"{out} goes on: begun {first.started}, {counted(len(earlier), 'campaign')}, "
        f"{counted(execs, 'execution')}, {counted(inputs, 'input')}, "
        f"{counted(len(saved_findings(out)), 'finding')}"
    )
