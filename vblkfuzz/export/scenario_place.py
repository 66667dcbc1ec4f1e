"""The line of a text file with the operation of the clash, for dashboards that show lines."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import quote

from vblkfuzz.errors import InputFileError
from vblkfuzz.export.reproduced import reproduced
from vblkfuzz.scenario.artifact import read_input
from vblkfuzz.trace.kinds import OP

if TYPE_CHECKING:
    from vblkfuzz.triage.case import Case

_TEXT: Final = "scenario.toml"
"""The text form beside an artifact, in the folder of a finding."""
_OPERATION: Final = re.compile(r"\s*\{\s*op\s*=")


class Place(NamedTuple):
    """A line of a file."""

    uri: str
    """Relative if the file is below the current folder, as that of a repository is."""
    line: int
    """From 1 on."""


def scenario_place(case: Case) -> Place:
    """Return the place of the operation in which the clash is, in the scenario as text.

    Without a text form, or without a clash, it is line 1.
    """
    path = Path(case.outcome.input)
    beside = path.with_name(_TEXT)
    text = beside if path.suffix == ".vblk" and beside.exists() else path
    return Place(uri_of(text), _line(text, case))


def uri_of(path: Path) -> str:
    """Return the address of a file: relative if it is below the current folder."""
    if path.is_absolute() and path.is_relative_to(Path.cwd()):
        path = path.relative_to(Path.cwd())
    return path.as_uri() if path.is_absolute() else quote(os.fsencode(path))


def _line(text: Path, case: Case) -> int:
    try:
        if text.suffix != ".toml" or read_input(text).scenario != case.scenario:
            return 1
        lines = text.read_text().splitlines()
    except (InputFileError, OSError):
        return 1
    places = [at for at, line in enumerate(lines, 1) if _OPERATION.match(line)]
    operation = _operation(case)
    return places[operation] if operation < len(places) == len(case.scenario.ops) else 1


def _operation(case: Case) -> int:
    """Return the number of the operation in which the clash is; past the last one if in none."""
    current = count = len(case.scenario.ops)
    for step in case.steps if reproduced(case) else ():
        if step.event.kind == OP:
            current = count if step.event.head else step.event.value
        if step.clash == "second":
            return current
    return count
