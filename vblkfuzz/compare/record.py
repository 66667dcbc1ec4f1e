"""What a comparison leaves in the output folder, and prints with ``--json``.

compare.json        everything: devices, inputs, differences or signatures, what was not judged
scenarios/NAME.toml each scenario in which devices differ
findings/SIGNATURE  a finding that only the patched binary shows, as a campaign saves it
gone/SIGNATURE      one that only the base shows
earlier/N/          the results of an earlier comparison (`compare.earlier`)
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from vblkfuzz.compare.earlier import OBJECT
from vblkfuzz.compare.signatures import BASE, PATCHED
from vblkfuzz.errors import HarnessError
from vblkfuzz.scenario.codec import encode
from vblkfuzz.scenario.text import to_text
from vblkfuzz.store.atomic import write_file
from vblkfuzz.store.finding import save_finding

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from vblkfuzz.compare.behaviour import Behaviour
    from vblkfuzz.compare.run import NotJudged
    from vblkfuzz.compare.side import Side
    from vblkfuzz.compare.signatures import Candidate, Signatures
    from vblkfuzz.scenario.scenario import Scenario
    from vblkfuzz.store.finding import Saved

_FOLDERS: Final = {BASE: "gone", PATCHED: "findings"}


def behaviour_object(found: Behaviour, sides: Sequence[Side]) -> dict[str, object]:
    """Return what `compare --binaries` found, in JSON values."""
    return {
        "binaries": _devices(sides),
        "scenarios": found.scenarios,
        "repeat": found.repeat,
        "differences": [
            {"scenario": name, **one._asdict()}
            for name, all_ in found.found.items()
            for one in all_
        ],
        "reports": [
            {"scenario": name, "binary": sides[side].name, "report": report}
            for name, reports in found.reports.items()
            for side, report in reports.items()
        ],
        "not_judged": _errors(found.not_judged, sides),
    }


def signatures_object(found: Signatures, sides: Sequence[Side], seed: int) -> dict[str, object]:
    """Return what `compare --base --patched` found, in JSON values."""
    base, patched = _devices(sides)
    return {
        "base": base,
        "patched": patched,
        "seed": seed,
        "inputs": found.inputs,
        "repeat": found.repeat,
        "new": _candidates(found.of(PATCHED)),
        "gone": _candidates(found.of(BASE)),
        "unsteady": [
            {"only": side, **one}
            for side, number in (("base", BASE), ("patched", PATCHED))
            for one in _candidates(found.of(number, steady=False))
        ],
        "both": found.both,
        "not_judged": _errors(found.not_judged, sides),
    }


def _devices(sides: Sequence[Side]) -> list[dict[str, str]]:
    return [{"name": side.name, "version": side.version} for side in sides]


def _errors(errors: Sequence[NotJudged], sides: Sequence[Side]) -> list[dict[str, str]]:
    return [
        {"input": one.input, "binary": sides[one.side].name, "error": one.error} for one in errors
    ]


def _candidates(found: dict[str, Candidate]) -> list[dict[str, object]]:
    return [
        {
            "signature": name,
            "input": one.input,
            "shown": one.shown,
            "runs": one.runs,
            "sentence": one.violation.sentence,
        }
        for name, one in found.items()
    ]


def write_object(out: Path, found: dict[str, object]) -> None:
    """Write compare.json.

    Raises:
        HarnessError: the folder cannot be written.
    """
    _write(out / OBJECT, json.dumps(found, indent=2) + "\n")


def write_scenario(out: Path, name: str, scenario: Scenario, found: str) -> Path:
    """Write a scenario in which devices differ; return its path.

    Raises:
        HarnessError: the folder cannot be written.
    """
    path = out / "scenarios" / f"{name.replace('/', '_')}.toml"
    _write(path, to_text(scenario, found))
    return path


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(exist_ok=True)
        write_file(path, text.encode())
    except OSError as error:
        raise HarnessError(f"{path}: cannot be written: {error.strerror or error}") from error


def save_candidate(out: Path, found: Signatures, name: str) -> Saved:
    """Save the finding of one side.

    Raises:
        OSError: it could not be saved, not even in a temporary folder.
    """
    one = found.candidates[name]
    folder = out / _FOLDERS[one.side]
    folder.mkdir(exist_ok=True)
    data = encode(one.execution.scenario)
    return save_finding(folder, found.targets[one.side], one.execution, one.violation, data)
