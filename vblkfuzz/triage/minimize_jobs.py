"""What `minimize` has to do for a PATH: each input with the file that its result is written to.

A finding gets its result beside it (`minimize.beside`). Of any other file NAME.toml or NAME.vblk
the result is NAME.minimized.toml or NAME.minimized.vblk, so that no input is ever overwritten.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from vblkfuzz.minimize.beside import reduction_of
from vblkfuzz.store.finding_files import ARTIFACT, MINIMIZED, has
from vblkfuzz.store.saved_findings import named
from vblkfuzz.triage.inputs import input_files

if TYPE_CHECKING:
    from vblkfuzz.store.reduction import Reduction

_MARK: Final = ".minimized"
_FORMS: Final = (".vblk", ".toml")


class Job(NamedTuple):
    """One input to minimize."""

    input: str
    output: Path
    otherwise: str = ""
    """Input to begin with if `input` no longer shows its bug; empty: none."""
    replaces: bool = False
    """Replace the minimized input of a finding, whatever its size: it no longer shows the bug."""

    @property
    def finding(self) -> Path | None:
        """Folder of the finding whose minimized input is written; None: it is another file."""
        folder = self.output.parent
        beside = Path(self.input).parent.resolve() == folder.resolve()
        of_finding = beside and self.output.name == MINIMIZED and has(folder, ARTIFACT)
        return folder if of_finding else None

    @property
    def done(self) -> Reduction | None:
        """How the input was minimized already, to the end; None: it was not."""
        found = reduction_of(self.finding) if self.finding else None
        return found if found and found.complete else None


def jobs_of(path: str, beginning: str | None, *, anew: bool) -> list[Job]:
    """Return the jobs for a PATH.

    Args:
        path: a file, a folder of inputs, a finding or the output folder of a campaign.
        beginning: signature of the findings to take, or the beginning of it; None: all.
        anew: do it again; a minimized input that no longer shows its bug gives way to another one.

    Raises:
        InputFileError: there is no input, or no finding begins like that.
    """
    files = [Path(file) for file in input_files(path)]
    if beginning is not None:
        files = _named(path, files, beginning)
    several = len(files) > 1
    return [_job(file, anew=anew) for file in files if not (several and _is_result(file))]


def _job(file: Path, *, anew: bool) -> Job:
    folder = file.parent
    if file.name in (ARTIFACT, MINIMIZED) and has(folder, ARTIFACT):
        again = anew and has(folder, MINIMIZED)
        start = folder / MINIMIZED if again else file
        return Job(str(start), folder / MINIMIZED, str(folder / ARTIFACT) if again else "")
    suffix = file.suffix if file.suffix in _FORMS else ".vblk"
    return Job(str(file), file.with_name(f"{file.stem}{_MARK}{suffix}"))


def _is_result(file: Path) -> bool:
    """Whether a file of a folder is what `minimize` has made of another one."""
    return Path(file.stem).suffix == _MARK


def _named(path: str, files: list[Path], beginning: str) -> list[Path]:
    """Return the finding with a signature, or those that begin like it."""
    names = {file.parent.name: file for file in files if has(file.parent, ARTIFACT)}
    return [names[name] for name in named(beginning, names, path)]
