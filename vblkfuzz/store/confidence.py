"""Confidence in a finding: how often its input shows it when it is run again.

It is kept beside the finding, as ``rate.json`` in the folder ``findings/<signature>/``. It is that
of one input file, which it names with a digest: once a smaller input stands for the finding, an
older rate does not count any more. A campaign measures the findings that it minimizes; else nothing
is measured unless ``--repeat`` asks for it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from hashlib import sha256
from os.path import isfile
from typing import TYPE_CHECKING, Any, Final

from vblkfuzz.scenario.artifact import DEFAULT_TARGET
from vblkfuzz.store.atomic import write_file
from vblkfuzz.store.finding_files import file_of_finding
from vblkfuzz.store.rate import Rate
from vblkfuzz.store.saved_findings import FINDINGS, finding_names

if TYPE_CHECKING:
    from pathlib import Path

RECORD: Final = "rate.json"


@dataclass(frozen=True, slots=True)
class Confidence:
    """How often an input shows its bug."""

    target: str
    """Name of the target that it ran on."""
    rate: Rate
    """With the schedule of the input."""
    bare: Rate | None = None
    """With an empty schedule; None: the input has none."""
    versions: dict[str, str] = field(default_factory=dict)
    """Version by name of the program that was the device; empty: not known."""

    def __add__(self, other: Confidence) -> Confidence:
        """Return the confidence over the runs of both, which are of one input on one target."""
        bare = None if self.bare is None or other.bare is None else self.bare + other.bare
        return Confidence(self.target, self.rate + other.rate, bare, self.versions)

    @property
    def unsteady(self) -> str:
        """Says so, if a deterministic device showed the bug in some of its runs only."""
        varying = [one for one in (self.rate, self.bare) if one is not None and one.varies]
        if self.target != DEFAULT_TARGET or not varying:
            return ""
        return f"not deterministic: the model showed it in {varying[0].counts} runs"

    @property
    def words(self) -> tuple[str, str]:
        """The rate with the schedule, and that without; empty: the input has no schedule.

        The model is deterministic, so there an interval would say nothing.
        """
        exact = self.target == DEFAULT_TARGET
        rates = (self.rate, self.bare)
        first, second = ("" if one is None else one.counts if exact else str(one) for one in rates)
        return first, second

    def __str__(self) -> str:
        """Return it in words."""
        shown, bare = self.words
        return f"{shown}; without its schedule {bare}" if bare else shown

    def to_json(self) -> dict[str, Any]:
        """Return it in JSON values."""
        return {
            "target": self.target,
            "rate": self.rate.to_json(),
            "without_schedule": self.bare.to_json() if self.bare else None,
            "versions": self.versions,
        }

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Confidence:
        """Return what `to_json` has returned; other keys are left alone.

        Raises:
            KeyError, TypeError, ValueError, OverflowError: it has not.
        """
        bare = record["without_schedule"]
        return cls(
            str(record["target"]),
            Rate.from_json(record["rate"]),
            None if bare is None else Rate.from_json(bare),
            {str(name): str(version) for name, version in dict(record["versions"]).items()},
        )


def keep_confidence(folder: Path, confidence: Confidence) -> None:
    """Keep the confidence in a finding, that of the input that stands for it.

    Raises:
        OSError: it cannot be written; what was there is unchanged.
    """
    record = {**_input(folder), **confidence.to_json()}
    write_file(folder / RECORD, json.dumps(record, indent=2).encode() + b"\n")


def confidence_in(folder: Path) -> Confidence | None:
    """Return the confidence that is kept beside a finding.

    None: it was not measured (earlier versions did not), another input stands for the finding now,
    or the file is damaged.
    """
    file = folder / RECORD
    if not file.is_file():  # a pipe would be waited for
        return None
    try:
        record = json.loads(file.read_bytes())
        if any(record[key] != value for key, value in _input(folder).items()):
            return None
        return Confidence.from_json(record)
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        return None


def confidences(out: Path) -> dict[str, Confidence]:
    """Return what is kept beside the findings of an output folder, by signature."""
    # Texts first: of 10,000 findings, objects of paths would take a second.
    measured = [name for name in finding_names(out) if isfile(f"{out}/{FINDINGS}/{name}/{RECORD}")]
    kept = ((name, confidence_in(out / FINDINGS / name)) for name in measured)
    return {name: one for name, one in kept if one is not None}


def _input(folder: Path) -> dict[str, str]:
    """Return which input stands for a finding."""
    file = file_of_finding(folder)
    return {"input": file.name, "sha256": sha256(file.read_bytes()).hexdigest()}
