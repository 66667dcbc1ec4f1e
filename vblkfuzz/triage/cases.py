"""Cases of `triage` and `export`: inputs, each run again on what it was found on.

A file that cannot be read is reported, and the others follow.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from vblkfuzz.errors import ExitStatus, InputFileError
from vblkfuzz.minimize.beside import reduction_of
from vblkfuzz.store.finding_files import MINIMIZED
from vblkfuzz.store.finding_place import signature_of
from vblkfuzz.triage.case import Case
from vblkfuzz.triage.inputs import input_at
from vblkfuzz.triage.pages import sightings_in
from vblkfuzz.triage.replay_target import Options, ReplayTarget
from vblkfuzz.triage.rerun import kept_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from vblkfuzz.store.reduction import Reduction
    from vblkfuzz.store.sightings import Sightings
    from vblkfuzz.triage.outcome import Outcome


@dataclass(slots=True)
class CaseReader:
    """Reads and replays inputs, and keeps the worst exit status."""

    complain: Callable[[InputFileError], None]
    """Called for each file that cannot be read."""
    options: Options = field(default_factory=Options)
    """Options of the user about target and device."""
    runs: int = 1
    """How often each input is run."""
    measure: bool = False
    """Whether these runs measure how often each input shows its bug (`triage.rerun`)."""
    sightings: dict[Path, dict[str, Sightings]] = field(default_factory=dict)
    """What the ledgers record, by output folder: each is read once."""
    exit_status: ExitStatus = ExitStatus.CLEAN
    """Exit code so far: 125 an input was not judged, else 2 one was not readable, else 0."""

    def read(self, files: list[str]) -> Iterator[Case]:
        """Yield a case for each file that can be read.

        Raises:
            UsageError: there is no target, device or defect of the name that the user gave.
        """
        with ReplayTarget(self.options) as target:
            for file in files:
                try:
                    artifact = input_at(file).artifact
                except InputFileError as error:
                    self.complain(error)
                    self._note(ExitStatus.USAGE)
                    continue
                outcome = target.replay(file, artifact, self.runs, measure=self.measure)
                if outcome.run.verdict == "harness_error" or outcome.unsteady:
                    self._note(ExitStatus.HARNESS)
                yield self._case(outcome)

    def _case(self, outcome: Outcome) -> Case:
        file = Path(outcome.input)
        out = file.parent.parent.parent
        if out not in self.sightings:
            self.sightings[out] = sightings_in(str(out))
        seen = self.sightings[out].get(signature_of(file.parent))
        return Case(outcome, seen, _reduction(file), outcome.confidence or kept_for(outcome))

    def _note(self, status: ExitStatus) -> None:
        self.exit_status = max(self.exit_status, status)


def _reduction(file: Path) -> Reduction | None:
    return reduction_of(file.parent) if file.name == MINIMIZED else None
