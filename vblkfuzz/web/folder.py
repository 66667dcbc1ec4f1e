"""An output folder on the dashboard. A campaign may be running in it; nothing there is changed."""

from __future__ import annotations

import os
from collections import Counter
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vblkfuzz.counted import counted
from vblkfuzz.errors import InputFileError
from vblkfuzz.limits import MAX_ARTIFACT_BYTES
from vblkfuzz.oracle.judge import RULES
from vblkfuzz.scenario.file_bytes import read_at_most
from vblkfuzz.store.canary import words as canary_words
from vblkfuzz.store.confidence import confidence_in
from vblkfuzz.store.course import POINTS, Course, read_courses
from vblkfuzz.store.finding_files import ARTIFACT
from vblkfuzz.store.folder import is_claimed
from vblkfuzz.store.history import LEDGER, CampaignRecord, History, read_history
from vblkfuzz.store.saved_findings import FINDINGS, finding_names
from vblkfuzz.store.tried import words as tried_words
from vblkfuzz.triage.pages import rule_in
from vblkfuzz.triage.recorded import sentence_of
from vblkfuzz.web.chart import rates, time_words
from vblkfuzz.web.course_charts import charts_of, workers_of
from vblkfuzz.web.input_row import input_row
from vblkfuzz.web.place import (
    PER_PAGE,
    FindingRow,
    Listed,
    Overview,
    Rule,
    Situation,
    Table,
    page_bounds,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

PATIENCE_S: Final = 0.5
"""Seconds for which a ledger may be locked until the page says so."""
_POINTS: Final = 20
"""Points of the course of each of many campaigns."""
_CORPUS: Final = "corpus"
_CAMPAIGNS: Final = 20
"""Campaigns that the first page lists: the last ones."""
_PLACES: Final = {rule.id: place for place, rule in enumerate(RULES)}


class Folder:
    """An output folder.

    Args:
        folder: the folder.

    Raises:
        InputFileError: it is none.
    """

    def __init__(self, folder: Path) -> None:
        if not (folder / LEDGER).is_file():
            found = f"no {LEDGER} in it" if folder.is_dir() else "no such folder"
            problem = f"expected the output folder of a campaign, found {found}"
            raise InputFileError(str(folder), "", problem)
        self.name: Final = str(folder)
        self._folder: Final = folder.absolute()

    # --- The first page -----------------------------------------------------------------------

    def overview(self) -> Overview:
        """Return the first page; if the ledger cannot be read, what is known without it."""
        names = finding_names(self._folder)
        try:
            history = self._history()
            most = max(_POINTS, POINTS // max(1, len(history.campaigns)))
            courses = read_courses(self._folder / LEDGER, most, PATIENCE_S)
        except InputFileError as error:
            found = [("findings", f"{len(names):,}")]
            return Overview("", "", found, rules=_rules(names, None), problems=[str(error)])
        running = is_claimed(self._folder)
        last = history.campaigns[-1] if history.campaigns else None
        return Overview(
            ", ".join((last.target, last.device, last.mode)) if last else "no campaign yet",
            _state(last, running=running),
            self._figures(history, courses, len(names)),
            charts_of(history, courses),
            [*workers_of(courses), _campaigns(history, running=running)],
            _rules(names, history),
            history.canaries,
            _silence(history),
        )

    def _history(self) -> History:
        return read_history(self._folder / LEDGER, PATIENCE_S)

    def _figures(
        self, history: History, courses: Sequence[Course], findings: int
    ) -> list[tuple[str, str]]:
        met = {name for one in history.campaigns for name in one.met}
        can = _expected(history)
        speed = rates([(one.seconds, one.execs) for one in courses[-1].points]) if courses else []
        last = history.campaigns[-1] if history.campaigns else None
        return [
            ("executions", f"{history.execs:,}"),
            ("executions/s", f"{speed[-1][1]:,.0f}" if speed else "-"),
            ("features", f"{last.features:,}" if last else "-"),
            ("findings", f"{findings:,}"),
            ("situations met", f"{len(met & can)} of {len(can)}"),
            ("inputs", f"{len(self._input_names()):,}"),
            ("time", time_words(history.seconds)),
            ("not judged", f"{sum(one.harness_errors for one in history.campaigns):,}"),
        ]

    def situations(self) -> list[Situation]:
        """Return all situations that can be met on the target."""
        first: dict[str, str] = {}
        for number, course in enumerate(read_courses(self._folder / LEDGER, 1, PATIENCE_S), 1):
            for name, seconds in course.first_met.items():
                first.setdefault(name, f"after {time_words(seconds)} of campaign {number}")
        can = _expected(self._history())
        return [
            Situation(rule.id, one.summary, first.get(one.name, ""))
            for rule in RULES
            for one in rule.situations
            if one.name in can or one.name in first
        ]

    # --- Findings -----------------------------------------------------------------------------

    def findings(self, rule: str, number: int) -> Listed:
        """Return a page of findings: by rule, the most frequent first."""
        try:
            sightings = self._history().sightings
        except InputFileError:
            sightings = {}
        count = {name: one.count for name, one in sightings.items()}
        of_rule = [
            (_rule(name), -count.get(name.partition("@")[0], 0), name)
            for name in finding_names(self._folder)
        ]
        found = sorted(
            (one for one in of_rule if not rule or one[0] == rule),
            key=lambda one: (_PLACES.get(one[0], len(_PLACES)), *one[1:]),
        )
        shown, of, begin = page_bounds(len(found), number)
        rows = [self._row(*one) for one in found[begin : begin + PER_PAGE]]
        return Listed(rows, shown, of, len(found))

    def _row(self, rule: str, seen: int, name: str) -> FindingRow:
        folder = self._folder / FINDINGS / name
        rate = confidence_in(folder)
        times = counted(-seen) if seen else ""
        return FindingRow(rule, name, sentence_of(str(folder)), times, str(rate) if rate else "")

    def finding(self, name: str) -> AbstractContextManager[Path] | None:
        """Return the folder of a finding."""
        folder = self._folder / FINDINGS / name
        if name.startswith(".") or os.sep in name or not os.path.exists(folder / ARTIFACT):
            return None
        return nullcontext(folder)

    # --- Corpus -------------------------------------------------------------------------------

    def inputs(self, number: int) -> Listed:
        """Return a page of the corpus, by name: that is the SHA-1 of an input."""
        names = self._input_names()
        shown, of, begin = page_bounds(len(names), number)
        rows = [
            input_row(name, data)
            for name in names[begin : begin + PER_PAGE]
            if (data := self.input(name)) is not None
        ]
        return Listed(rows, shown, of, len(names))

    def input(self, name: str) -> bytes | None:
        """Return a raw input."""
        if name.startswith(".") or os.sep in name:
            return None
        try:
            return read_at_most(str(self._folder / _CORPUS / name), MAX_ARTIFACT_BYTES)
        except (OSError, InputFileError, ValueError):
            return None  # the campaign has just removed it, or it is no file

    def _input_names(self) -> list[str]:
        try:
            return sorted(
                one for one in os.listdir(self._folder / _CORPUS) if not one.startswith(".")
            )
        except OSError:
            return []


def _rule(name: str) -> str:
    return rule_in(os.path.join(name, ARTIFACT))


def _state(record: CampaignRecord | None, *, running: bool) -> str:
    if record is None or record.ended is None:
        return "running" if running else "killed" if record else ""
    return "ended" if record.status is None else f"ended, exit status {record.status}"


def _expected(history: History) -> set[str]:
    """Return the names of the situations that can be met on the target."""
    expected = {name for one in history.campaigns for name in one.expected}
    names = {one.name for rule in RULES for one in rule.situations}
    return names & expected if expected else names


def _rules(names: Sequence[str], history: History | None) -> list[Rule]:
    found = Counter(map(_rule, names))
    met = {name for one in history.campaigns for name in one.met} if history else set()
    can = _expected(history) if history else set()
    rows = []
    for rule in RULES:
        own = {one.name for one in rule.situations} & can
        rows.append(Rule(rule.id, rule.title, found.pop(rule.id, 0), len(own & met), len(own)))
    other = found.total()
    return [*rows, Rule("", "No rule in the name", other, 0, 0)] if other else rows


def _campaigns(history: History, *, running: bool) -> Table:
    last = len(history.campaigns)
    rows = [
        (
            str(number),
            one.started[:16].replace("T", " "),
            _state(one, running=running and number == last),
            f"{one.execs:,}",
            time_words(one.seconds),
            f"{one.execs_per_s:,.0f}",
            f"{one.features:,}",
            f"{len(set(one.findings)):,} ({len(one.new):,})",
        )
        for number, one in enumerate(history.campaigns, start=1)
    ]
    heads = (
        *("campaign", "started (UTC)", "state", "executions", "time", "executions/s"),
        *("features", "findings (new)"),
    )
    title = "Campaigns" if last <= _CAMPAIGNS else f"The last {_CAMPAIGNS} of {last:,} campaigns"
    return Table(title, heads, rows[-_CAMPAIGNS:])


def _silence(history: History) -> list[tuple[str, str]]:
    said = (
        ("planted defects", canary_words(history.canaries)),
        ("unseen", history.unseen.words),
        ("PCT", tried_words(history.tried)),
        ("shadow", history.shadow),
    )
    return [(name, sentence) for name, sentence in said if sentence]
