"""Pages of findings: a folder may have ten thousand, and to run all of them takes many minutes.

So a list or a report runs those of one page. The pages are in the order in which findings are
listed: by rule, the most frequent first. That is known without opening a finding: from the name of
its folder and from the ledger.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vblkfuzz.errors import InputFileError, UsageError
from vblkfuzz.limits import FINDINGS_PER_PAGE as _SIZE
from vblkfuzz.oracle.judge import RULES
from vblkfuzz.store.history import LEDGER, read_history

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.store.history import History
    from vblkfuzz.store.sightings import Sightings

_PLACES: Final = {rule.id.lower(): place for place, rule in enumerate(RULES)}


@dataclass(frozen=True, slots=True)
class Page:
    """One page of findings."""

    files: tuple[str, ...]
    """The findings on it, in order."""
    number: int
    """From 1."""
    all_files: tuple[str, ...]
    """The findings on all pages, in order."""
    sightings: dict[str, Sightings]
    """What the ledger records, by signature."""
    shadow: str = ""
    """Which crash hides other bugs; empty: none."""

    @property
    def of(self) -> int:
        """How many pages there are."""
        return -(-len(self.all_files) // _SIZE)

    @property
    def others(self) -> list[tuple[int, str]]:
        """The findings on other pages, each with the number of its page."""
        numbered = ((place // _SIZE + 1, file) for place, file in enumerate(self.all_files))
        return [(number, file) for number, file in numbered if number != self.number]


def page_of(path: str, files: Sequence[str], number: int) -> Page:
    """Return a page of the findings that `path` stands for.

    Raises:
        UsageError: there is no page of this number.
    """
    history = _history_of(path)
    sightings = history.sightings if history else {}
    ordered = tuple(sorted(files, key=lambda file: _rank(file, sightings)))
    page = Page(
        ordered[(number - 1) * _SIZE : number * _SIZE],
        number,
        ordered,
        sightings,
        history.shadow if history else "",
    )
    if not page.files:
        raise UsageError(f"--page {number}: the last page of {path} is {page.of}")
    return page


def sightings_in(path: str) -> dict[str, Sightings]:
    """Return what the ledger of an output folder records, by signature; without one nothing."""
    history = _history_of(path)
    return history.sightings if history else {}


def _history_of(path: str) -> History | None:
    try:
        return read_history(Path(path) / LEDGER)
    except InputFileError:
        return None


def signature_in(file: str) -> str:
    """Return the signature that the folder of a finding's file is named by.

    >>> signature_in("out/findings/s1-reset@2/finding.vblk")
    's1-reset'
    """
    parts = file.rsplit(os.sep, 2)  # not os.path: it is asked for each of 10,000 files
    return parts[-2].partition("@")[0] if len(parts) > 1 else ""


def rule_in(file: str) -> str:
    """Return the rule that the name of a finding's folder begins with; empty: with none.

    >>> rule_in("out/findings/s1-reset/finding.vblk"), rule_in("corpus/x.toml")
    ('S1', '')
    """
    begin = signature_in(file).partition("-")[0]
    return begin.upper() if begin in _PLACES else ""


def _rank(file: str, sightings: dict[str, Sightings]) -> tuple[int, int, str]:
    seen = sightings.get(signature_in(file))
    place = _PLACES.get(rule_in(file).lower(), len(_PLACES))
    return place, -(seen.count if seen else 0), file
