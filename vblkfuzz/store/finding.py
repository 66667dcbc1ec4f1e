"""A finding on disk: the folder ``findings/<signature>/`` (`finding_place`).

    finding.vblk    the artifact, to replay
    scenario.toml   the same scenario as text, to read and edit
    trace.txt       the trace, one event per row
    verdict.json    the verdict of the oracles
    input.bin       the raw fuzz input
    device.txt      report on a real device process that crashed or hung

What it becomes when it is minimized is added later (`minimize.beside`). A finding is written once.
An existing one is not changed, unless it is damaged: its artifact is lost or cut off, or a file is
empty. Then it is written anew, as the execution shows it now.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vblkfuzz.errors import InputFileError
from vblkfuzz.scenario.artifact import artifact_text, dump_artifact, load_artifact
from vblkfuzz.store.atomic import write_file, write_folder
from vblkfuzz.store.finding_artifact import finding_artifact
from vblkfuzz.store.finding_files import ARTIFACT, RAW
from vblkfuzz.store.finding_place import is_of_another, places
from vblkfuzz.trace.render import render

if TYPE_CHECKING:
    from vblkfuzz.executor import Execution
    from vblkfuzz.oracle.violation import Violation
    from vblkfuzz.targets.target import Target


@dataclass(frozen=True, slots=True)
class Saved:
    """Where a finding was saved."""

    path: Path
    new: bool
    """False: a finding with this signature, of this device, existed already and was not changed."""
    fallback: str = ""
    """Why the finding is not in the output folder; empty if it is."""


def save_finding(
    folder: Path,
    target: Target,
    execution: Execution,
    violation: Violation,
    data: bytes,
    known: str = "",
) -> Saved:
    """Save a finding in `folder`; if that fails, in a temporary folder.

    Args:
        folder: the folder of all findings.
        target: the target that showed the violation.
        execution: the execution with the violation.
        violation: the violation of this execution that the finding is about.
        data: the fuzz input.
        known: the known bug that explains it, if the device lists one; else empty.

    Raises:
        OSError: both folders cannot be written.
    """
    files = finding_files(target, execution, violation, data, known)
    try:
        return _saved(folder, target, violation.signature, files)
    except OSError as error:
        rescue = Path(tempfile.mkdtemp(prefix="vblkfuzz-finding-")) / violation.signature
        write_folder(rescue, files)
        return Saved(rescue, True, f"{error.strerror or error}: {folder}")


def _saved(folder: Path, target: Target, signature: str, files: dict[str, bytes]) -> Saved:
    """Save a finding beside those of other devices, and beside what other workers save now."""
    for path in places(folder, signature):
        if write_folder(path, files):
            return Saved(path, True)
        if not is_of_another(path, target):
            break
    if _is_damaged(path):
        _mend(path, files)
    return Saved(path, False)


def _is_damaged(finding: Path) -> bool:
    """Whether a file of a finding is missing, empty or cut off, as after a full disk.

    An artifact with a field that cannot be read is not: a newer version may have written it.
    """
    try:
        load_artifact((finding / ARTIFACT).read_bytes(), ARTIFACT)
    except InputFileError as error:
        return error.place.startswith("byte ")
    except OSError:
        return True
    # A raw input may have no bytes.
    files = (file for file in finding.iterdir() if file.is_file() and file.name != RAW)
    return any(not file.stat().st_size for file in files)


def _mend(finding: Path, files: dict[str, bytes]) -> None:
    """Write all files of a finding anew; they belong to one execution."""
    for name, data in files.items():
        write_file(finding / name, data)


def finding_files(
    target: Target, execution: Execution, violation: Violation, data: bytes, known: str = ""
) -> dict[str, bytes]:
    """Return the contents of a finding's files by name; arguments as in `save_finding`."""
    artifact = finding_artifact(target, execution, violation)
    return {
        "finding.vblk": dump_artifact(artifact),
        "scenario.toml": artifact_text(artifact, violation.sentence).encode(),
        "trace.txt": _trace_text(execution, violation).encode(),
        "verdict.json": _verdict_json(target, execution, violation, known).encode(),
        "input.bin": data,
        **({"device.txt": execution.trace.report.encode()} if execution.trace.report else {}),
    }


def _trace_text(execution: Execution, violation: Violation) -> str:
    clash = (violation.first, violation.second)
    window = render(violation.window(execution.trace), clash)
    whole = render(execution.trace.events, clash)
    return (
        f"{violation.rule}: {violation.sentence}\n\npath: {violation.path}\n\n"
        f"The clash:\n\n{window}\n\nThe whole trace:\n\n{whole}\n"
    )


def _verdict_json(target: Target, execution: Execution, violation: Violation, known: str) -> str:
    verdict = {
        "verdict": "violation",
        "rule": violation.rule,
        "signature": violation.signature,
        "sentence": violation.sentence,
        "path": violation.path,
        "known": known,
        "trace_digest": execution.trace.digest,
        "steps": execution.trace.steps,
        "target": target.name,
        "device": target.device,
        "mode": target.mode,
        "also": sorted({other.signature for other in execution.verdict.violations}),
    }
    return json.dumps(verdict, indent=2) + "\n"
