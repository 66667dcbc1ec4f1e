"""What a dashboard is of: what pages ask an output folder (`folder`) or a store (`store`)."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.store.canary import Canary
    from vblkfuzz.web.chart import Chart

PER_PAGE: Final = 50
"""Rows of a page: so many files are opened for it, however many there are."""


class Rule(NamedTuple):
    """A rule, and what was seen of it."""

    id: str
    title: str
    findings: int
    met: int
    """Situations that were met."""
    situations: int
    """All that can be met on the target."""


class Situation(NamedTuple):
    """A situation that a rule needs."""

    rule: str
    summary: str
    met: str
    """When it was met first; empty: never."""


class Table(NamedTuple):
    """Rows of text below their heads; the first column names a row."""

    title: str
    heads: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Overview:
    """The first page."""

    about: str
    """Target, device and the like."""
    state: str
    figures: list[tuple[str, str]]
    """Names and values."""
    charts: list[Chart] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)
    canaries: list[Canary] = field(default_factory=list)
    silence: list[tuple[str, str]] = field(default_factory=list)
    """What a clean result is worth, in sentences."""
    problems: list[str] = field(default_factory=list)
    """What cannot be read, a line each."""


class FindingRow(NamedTuple):
    """A finding in a list."""

    rule: str
    name: str
    sentence: str
    seen: str
    rate: str
    """How often it was shown again; empty: not measured."""


class InputRow(NamedTuple):
    """An input in a list."""

    name: str
    size: int
    operations: int
    deviations: int
    words: str
    """Names of its operations."""


class Listed(NamedTuple):
    """One page of a list."""

    rows: list[FindingRow] | list[InputRow]
    number: int
    """From 1."""
    of: int
    """Pages that there are, at least 1."""
    total: int


class Place(Protocol):
    """What a dashboard is of. Everything raises InputFileError for what cannot be read."""

    @property
    def name(self) -> str:
        """As the user has named it."""

    def overview(self) -> Overview:
        """Return the first page."""

    def situations(self) -> list[Situation]:
        """Return all situations that can be met, in the order of the rules."""

    def findings(self, rule: str, number: int) -> Listed:
        """Return a page of the findings that break a rule; empty: any."""

    def finding(self, name: str) -> AbstractContextManager[Path] | None:
        """Return the input of a finding while it is used; None: there is no such finding."""

    def inputs(self, number: int) -> Listed:
        """Return a page of the corpus."""

    def input(self, name: str) -> bytes | None:
        """Return a raw input; None: there is none of that name."""


def page_bounds(total: int, number: int) -> tuple[int, int, int]:
    """Return the number of the page that is shown, how many there are, and its first row.

    >>> page_bounds(101, 2), page_bounds(101, 99), page_bounds(0, 1)
    ((2, 3, 50), (3, 3, 100), (1, 1, 0))
    """
    of = max(1, -(-total // PER_PAGE))
    shown = min(max(1, number), of)
    return shown, of, (shown - 1) * PER_PAGE
