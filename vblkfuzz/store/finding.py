"""A finding on disk: ``findings/<signature>/`` with all that a person or a tool needs.

    finding.vblk    the artifact: replay it
    scenario.toml   the same, to read and to edit
    trace.txt       what happened, row by row
    verdict.json    what the oracles say
    input.bin       the raw fuzz input
    device.txt      last words of a real device process that crashed or hung

Written once: a finding that is there already is never touched again.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vblkfuzz.scenario.artifact import dump_artifact
from vblkfuzz.scenario.text import to_text
from vblkfuzz.store.atomic import write_folder
from vblkfuzz.store.finding_artifact import finding_artifact
from vblkfuzz.trace.render import render

if TYPE_CHECKING:
    from vblkfuzz.executor import Execution
    from vblkfuzz.oracle.violation import Violation
    from vblkfuzz.targets.target import Target


@dataclass(frozen=True, slots=True)
class Saved:
    """Where a finding went."""

    path: Path
    new: bool
    """False: a finding of that signature was there already and was kept."""
    fallback: str = ""
    """Why it is not in the output folder, if it is not."""


def save_finding(
    folder: Path,
    target: Target,
    execution: Execution,
    violation: Violation,
    data: bytes,
    known: str = "",
) -> Saved:
    """Save a finding; if the output folder cannot take it, into a temporary one.

    Args:
        folder: where findings are.
        target: what showed it.
        execution: what happened.
        violation: which of its violations the finding is about.
        data: the fuzz input.
        known: the bug that explains it, if the device lists one.

    Raises:
        OSError: not even that was possible.
    """
    files = finding_files(target, execution, violation, data, known)
    path = folder / violation.signature
    try:
        return Saved(path, write_folder(path, files))
    except OSError as error:
        rescue = Path(tempfile.mkdtemp(prefix="vblkfuzz-finding-")) / violation.signature
        write_folder(rescue, files)
        return Saved(rescue, True, f"{error.strerror or error}: {folder}")


def finding_files(
    target: Target, execution: Execution, violation: Violation, data: bytes, known: str = ""
) -> dict[str, bytes]:
    """Return the files of a finding by name."""
    artifact = finding_artifact(target, execution, violation)
    text = to_text(execution.scenario, violation.sentence, artifact.expectation, target.device)
    return {
        "finding.vblk": dump_artifact(artifact),
        "scenario.toml": text.encode(),
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
