"""A finding as its campaign recorded it, without running it: a row of an index.

The files of a finding may be damaged or come from anybody: then the row says so.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from vblkfuzz.counted import counted
from vblkfuzz.errors import InputFileError
from vblkfuzz.limits import MAX_ARTIFACT_BYTES
from vblkfuzz.scenario.file_bytes import read_at_most
from vblkfuzz.triage.pages import rule_in, signature_in

if TYPE_CHECKING:
    from vblkfuzz.triage.pages import Page

_VERDICT: Final = "verdict.json"
_TRACE: Final = "trace.txt"
_LONGEST: Final = 400
"""Characters of a sentence that are shown: an index is for finding a finding."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """One finding."""

    rule: str
    name: str
    """Name of its folder; of an input that is no finding, its path."""
    sentence: str
    """The violation, or why it is not known."""
    seen: str
    """How often, in words; empty: not recorded."""
    page: int
    """The page that runs it and tells its story."""
    link: str = ""
    """Relative address of its trace; empty: there is none."""


@dataclass(frozen=True, slots=True)
class Others:
    """The findings on other pages."""

    findings: list[Recorded]
    """In the order of their pages."""
    number: int
    """The page that they are not on, from 1."""
    of: int
    """How many pages there are."""
    command: str
    """The shell command for the next page, or the first one after the last."""

    @property
    def by_rule(self) -> list[tuple[str, list[Recorded]]]:
        """The findings, for each rule those that break it."""
        groups = groupby(self.findings, lambda one: one.rule)
        return [(rule, list(group)) for rule, group in groups]


def others_of(page: Page, folder: str, command: str) -> Others:
    """Return the findings on other pages than this one.

    Args:
        page: the page.
        folder: where the index will lie; links begin there. Empty: nowhere, there are no links.
        command: see `Others`.
    """
    found = [_recorded(file, number, page, folder) for number, file in page.others]
    return Others(found, page.number, page.of, command)


def _recorded(file: str, number: int, page: Page, folder: str) -> Recorded:
    finding = os.path.dirname(file)
    rule = rule_in(file)
    if not rule:
        return Recorded("", file, "", "", number)
    seen = page.sightings.get(signature_in(file))
    times = counted(seen.count) if seen and seen.count else ""
    link = _link(finding, folder) if folder else ""
    return Recorded(rule, os.path.basename(finding), sentence_of(finding), times, number, link)


def sentence_of(finding: str) -> str:
    """Return the violation that is recorded in the folder of a finding, or why it is not known."""
    path = os.path.join(finding, _VERDICT)
    try:
        verdict = json.loads(read_at_most(path, MAX_ARTIFACT_BYTES))
        sentence = verdict["sentence"]
    except OSError as error:
        return f"{_VERDICT}: {error.strerror}"
    except (ValueError, RecursionError, TypeError, KeyError, InputFileError):
        return f"{_VERDICT}: expected the verdict of a finding"
    return str(sentence)[:_LONGEST]


def _link(finding: str, folder: str) -> str:
    trace = os.path.join(finding, _TRACE)
    return quote(os.path.relpath(trace, folder)) if os.path.exists(trace) else ""
