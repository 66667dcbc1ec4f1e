"""Cases from a PATH of `triage` and `export`: its inputs, each run again on its device.

The output folder of a campaign stands for its findings. Any other folder or file stands for the
same inputs as in `replay`. A file that cannot be read is reported, and the others follow.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vblkfuzz.errors import ExitStatus, InputFileError
from vblkfuzz.store.history import LEDGER, read_history
from vblkfuzz.triage.case import Case
from vblkfuzz.triage.device_file import read_to_run
from vblkfuzz.triage.inputs import input_files
from vblkfuzz.triage.replay_target import Options, ReplayTarget

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from vblkfuzz.store.sightings import Sightings

FINDINGS: Final = "findings"
ARTIFACT: Final = "finding.vblk"
MINIMIZED: Final = "minimized.vblk"
"""Name for the output of `minimize` beside a finding; it is preferred, as the shorter scenario."""


@dataclass(slots=True)
class CaseReader:
    """Reads and replays inputs, and keeps the worst exit status."""

    complain: Callable[[InputFileError], None]
    """Called for each file that cannot be read."""
    options: Options = field(default_factory=Options)
    """Options of the user about target and device."""
    runs: int = 1
    """How often each input is run."""
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
                    artifact = read_to_run(file)
                except InputFileError as error:
                    self.complain(error)
                    self._note(ExitStatus.USAGE)
                    continue
                outcome = target.replay(file, artifact, self.runs)
                if outcome.run.verdict == "harness_error":
                    self._note(ExitStatus.HARNESS)
                yield Case(outcome, _sightings(Path(file).parent))

    def _note(self, status: ExitStatus) -> None:
        self.exit_status = max(self.exit_status, status)


def case_files(path: str) -> list[str]:
    """Return the input files that `path` stands for.

    Raises:
        InputFileError: there is none.
    """
    folder = Path(path)
    if (folder / FINDINGS).is_dir():
        return finding_files(path)
    return [_artifact(folder)] if (folder / ARTIFACT).exists() else input_files(path)


def one_file(path: str) -> str:
    """Return the one input file that `path` stands for.

    Raises:
        InputFileError: there is none, or there are several.
    """
    first, *others = case_files(path)
    if others:
        problem = f"expected one input, found {1 + len(others)}: name one of them"
        raise InputFileError(path, "", problem)
    return first


def finding_files(path: str) -> list[str]:
    """Return the artifacts of all findings of a campaign's output folder, by signature.

    Raises:
        InputFileError: `path` is no output folder, or has no findings.
    """
    folder = Path(path) / FINDINGS
    if not folder.is_dir():
        problem = f"expected the output folder of a campaign, found no {FINDINGS}/ in it"
        raise InputFileError(path, "", problem)
    # A name that begins with a dot is a finding that a worker has not finished writing.
    found = sorted(_artifact(one) for one in folder.iterdir() if one.name[0] != ".")
    if not found:
        raise InputFileError(path, "", "expected findings, found none: the campaign had no finding")
    return found


def shadow_in(folder: str) -> str:
    """Say which crash hides other bugs of a campaign's output folder; empty if there is none."""
    try:
        return read_history(Path(folder) / LEDGER).shadow
    except InputFileError:
        return ""


def _artifact(finding: Path) -> str:
    minimized = finding / MINIMIZED
    return str(minimized if minimized.exists() else finding / ARTIFACT)


def _sightings(finding: Path) -> Sightings | None:
    """Return what the ledger records of a finding; None: the finding is in no output folder."""
    try:
        history = read_history(finding.parent.parent / LEDGER)
    except InputFileError:
        return None
    return history.sightings.get(finding.name)
