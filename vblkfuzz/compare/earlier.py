"""The results of an earlier comparison in the output folder: moved aside, never lost.

    DIR/earlier/1/    the first comparison that used DIR
    DIR/earlier/2/    the second one

So what lies in DIR itself is of the last comparison only. `compare.json` marks a folder of a
comparison. Results of something else, such as a campaign, are not touched: the folder is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.errors import HarnessError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

OBJECT: Final = "compare.json"
"""The file that each comparison writes, also one that was stopped."""
_RESULTS: Final = ("scenarios", "findings", "gone", OBJECT)
"""What a comparison writes. The mark is moved last: a move that was cut short can be repeated."""
_OF_A_CAMPAIGN: Final = "campaign.sqlite"


def check_free(out: Path) -> None:
    """Check that the folder has no results of anything but comparisons.

    Raises:
        UsageError: it has some.
    """
    if (out / _OF_A_CAMPAIGN).exists():
        raise UsageError(f"{out}: has the results of a campaign; choose another --out")
    found = _found(out)
    if found and OBJECT not in found:
        raise UsageError(f"{out}: has {found[0]}/, but no {OBJECT}; choose another --out")


def set_aside(out: Path) -> Path | None:
    """Move the results of an earlier comparison to a new folder in `out`; None: there are none.

    Raises:
        HarnessError: they cannot be moved.
    """
    found = _found(out)
    if not found:
        return None
    try:
        folder = _new_folder(out / "earlier")
        for name in found:
            (out / name).rename(folder / name)
    except OSError as error:
        raise HarnessError(f"{out}: cannot be written: {error.strerror or error}") from error
    return folder


def _found(out: Path) -> list[str]:
    return [name for name in _RESULTS if _has_something(out / name)]


def _has_something(path: Path) -> bool:
    return any(path.iterdir()) if path.is_dir() else path.exists()


def _new_folder(parent: Path) -> Path:
    parent.mkdir(exist_ok=True)
    numbers = [int(each.name) for each in parent.iterdir() if each.name.isdecimal()]
    folder = parent / str(max(numbers, default=0) + 1)
    folder.mkdir()
    return folder
