"""A store on the dashboard: what all nodes have done together. Nothing there is changed.

A store may be slow and large, so what was read is kept for some seconds. A beat has the figures of
its run of now only; what they were earlier is known since this server was started.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vblkfuzz.counted import counted
from vblkfuzz.errors import InputFileError
from vblkfuzz.oracle.judge import RULES
from vblkfuzz.store.finding_files import ARTIFACT
from vblkfuzz.store.store_summary import StoreReader, StoreSummary, open_store
from vblkfuzz.triage.pages import rule_in
from vblkfuzz.web.chart import Chart, chart, rates, time_words
from vblkfuzz.web.input_row import input_row
from vblkfuzz.web.place import (
    PER_PAGE,
    FindingRow,
    InputRow,
    Listed,
    Overview,
    Rule,
    Situation,
    Table,
    page_bounds,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.store.feature_record import Entry
    from vblkfuzz.store.shared_store import SharedStore, StoredFinding

_FRESH_S: Final = 10.0
"""Seconds for which what was read is shown."""
_SAMPLES: Final = 480
"""Moments that are kept; then every other one is left out."""
_LINES: Final = 8
_DAMAGED: Final = 5
"""Files that cannot be read of which the first page has a line."""
_PLACES: Final = {rule.id: place for place, rule in enumerate(RULES)}


class Store:
    """A store.

    Args:
        place: as the user has named it.

    Raises:
        InputFileError: it is none, or cannot be read.
        UsageError: fsspec is missing.
    """

    def __init__(self, place: str) -> None:
        self.name: Final = place
        self._store: Final[SharedStore] = open_store(place)
        self._reader: Final = StoreReader(self._store)
        self._lock = threading.Lock()
        self._summary: StoreSummary | None = None
        self._read_at = 0.0
        self._begin = time.monotonic()
        self._samples: list[tuple[float, dict[str, int], int, int]] = []
        if not self._now().about:
            raise InputFileError(place, "", "expected a store, found no campaign.toml in it")

    def _now(self) -> StoreSummary:
        """Return what the store has, some seconds old at most."""
        with self._lock:
            if self._summary is None or time.monotonic() - self._read_at > _FRESH_S:
                try:
                    self._summary = self._reader.summary()
                except OSError as error:
                    raise self._unreadable(error) from None
                self._read_at = time.monotonic()
                self._note(self._summary)
            return self._summary

    def _note(self, summary: StoreSummary) -> None:
        execs = Counter[str]()
        for one in summary.runs:
            execs[one.node] += one.execs
        seconds = self._read_at - self._begin
        self._samples.append((seconds, execs, summary.features, len(summary.findings)))
        if len(self._samples) > _SAMPLES:
            self._samples[:-1] = self._samples[:-1:2]

    # --- The first page -----------------------------------------------------------------------

    def overview(self) -> Overview:
        """Return the first page."""
        summary = self._now()
        about = f"{summary.about.get('target')}, {summary.about.get('device')}"
        return Overview(
            about,
            "store",
            [
                ("executions", f"{summary.execs:,}"),
                ("features", f"{summary.features:,}"),
                ("findings", f"{len(summary.findings):,}"),
                ("inputs", f"{summary.inputs:,}"),
                ("nodes", f"{len(summary.nodes):,}"),
                ("campaigns", f"{len(summary.runs):,}"),
            ],
            self._charts(),
            [_nodes(summary)],
            _rules(summary),
            problems=_left_out(summary),
        )

    def _charts(self) -> list[Chart]:
        """Return how the figures have grown since the server was started."""
        if len(self._samples) < 2:
            return []
        nodes = list(self._samples[-1][1])[:_LINES]
        begin = self._samples[0][1]
        speed = {
            node: rates(
                [(at, execs.get(node, 0) - begin.get(node, 0)) for at, execs, *_ in self._samples]
            )
            for node in nodes
        }
        charts = (
            chart("Executions per second, by node, since this page was started", speed),
            chart("Features", {"": [(at, float(count)) for at, _, count, _ in self._samples]}),
            chart("Findings", {"": [(at, float(count)) for at, *_, count in self._samples]}),
        )
        return [one for one in charts if one]

    def situations(self) -> list[Situation]:
        """Return nothing: nodes do not tell a store which situations they met."""
        return []

    # --- Findings -----------------------------------------------------------------------------

    def findings(self, rule: str, number: int) -> Listed:
        """Return a page of findings: by rule, the most frequent first."""
        summary = self._now()
        seen = summary.seen
        found = sorted(
            (one for one in summary.findings if not rule or _rule(one) == rule),
            key=lambda one: (
                _PLACES.get(_rule(one), len(_PLACES)),
                -seen[one.signature],
                one.signature,
            ),
        )
        shown, of, begin = page_bounds(len(found), number)
        rows = [
            FindingRow(_rule(one), one.signature, "", _times(seen[one.signature]), "")
            for one in found[begin : begin + PER_PAGE]
        ]
        return Listed(rows, shown, of, len(found))

    def finding(self, name: str) -> AbstractContextManager[Path] | None:
        """Return a copy of a finding's artifact, in a folder that is removed after its use."""
        found = [one for one in self._now().findings if one.signature == name]
        return _copied(found[0]) if found else None

    # --- Corpus -------------------------------------------------------------------------------

    def inputs(self, number: int) -> Listed:
        """Return a page of the corpus, in the order of packs; it opens those of the page only."""
        self._now()
        packs = self._reader.packs
        total = sum(packs.values())
        shown, of, begin = page_bounds(total, number)
        rows: list[InputRow] = []
        for path, count in packs.items():
            if begin < count and len(rows) < PER_PAGE:
                entries = self._entries(path)[begin : begin + PER_PAGE - len(rows)]
                rows += [input_row(one.name, one.data) for one in entries]
            begin = max(0, begin - count)
        return Listed(rows, shown, of, total)

    def input(self, name: str) -> bytes | None:
        """Return a raw input; it may take a look into each pack."""
        self._now()
        for path in self._reader.packs:
            for one in self._entries(path):
                if one.name == name:
                    return one.data
        return None

    def _entries(self, path: str) -> Sequence[Entry]:
        try:
            pack = self._store.pack(path)
        except OSError as error:
            raise self._unreadable(error) from None
        return pack.entries if pack else ()

    def _unreadable(self, error: OSError) -> InputFileError:
        return InputFileError(self.name, "", f"cannot be read: {error.strerror or error}")


@contextmanager
def _copied(found: StoredFinding) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="vblkfuzz-serve-") as folder:
        path = Path(folder, ARTIFACT)
        path.write_bytes(found.artifact)
        yield path


def _left_out(summary: StoreSummary) -> list[str]:
    """Return a line about each file that is left out; of many about some."""
    paths = summary.damaged
    lines = [f"{path}: not whole or not readable, left out" for path in paths[:_DAMAGED]]
    more = len(paths) - len(lines)
    return [*lines, f"{more:,} more are left out; vblkfuzz status names them"] if more else lines


def _rule(found: StoredFinding) -> str:
    return rule_in(f"{found.signature}/{ARTIFACT}")


def _times(count: int) -> str:
    return counted(count) if count else ""


def _rules(summary: StoreSummary) -> list[Rule]:
    count = Counter(map(_rule, summary.findings))
    rows = [Rule(one.id, one.title, count.pop(one.id, 0), 0, 0) for one in RULES]
    return [
        one for one in [*rows, Rule("", "No rule in the name", count.total(), 0, 0)] if one.findings
    ]


def _nodes(summary: StoreSummary) -> Table:
    rows = []
    for name in summary.nodes:
        one = summary.of_node(name)
        state = "ended" if one["ended"] else "last sign of life"
        rows.append(
            (
                name,
                f"{state} {one['written'][:16].replace('T', ' ')}",
                f"{one['execs']:,}",
                time_words(one["seconds"]),
                f"{one['features']:,}",
                f"{one['workers']:,}",
                one["problem"],
            )
        )
    heads = ("node", "state, by its clock", "executions", "time", "features", "workers", "problem")
    return Table("Nodes", heads, rows)
