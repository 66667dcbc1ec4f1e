"""The lines of ``doctor --json``: an object each."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from vblkfuzz._version import __version__

if TYPE_CHECKING:
    from vblkfuzz.doctor.diagnosis import Diagnosis, Readiness

SCHEMA: Final = "doctor.schema.json"
"""File beside this one: the JSON Schema of a line."""
VERSION: Final = 1
"""Version of the lines: a new key keeps it, a key that goes or changes its meaning does not."""


def print_start() -> None:
    """Print the first line."""
    _print("start", version=VERSION, vblkfuzz=__version__)


def print_check(diagnosis: Diagnosis) -> None:
    """Print what a check has found."""
    check, found = diagnosis
    _print(
        "check",
        name=check.name,
        verdict=found.verdict,
        fact=found.fact,
        advice=found.advice,
        needed_by=[use.name for use in check.needed_by],
        helps=[use.name for use in check.helps],
    )


def print_use(readiness: Readiness) -> None:
    """Print whether the machine is ready for a use."""
    _print(
        "use",
        name=readiness.use.name,
        summary=readiness.use.summary,
        verdict=readiness.verdict,
        missing=readiness.missing,
        lessened_by=readiness.lessened_by,
    )


def print_end(status: int) -> None:
    """Print the last line."""
    _print("end", status=status)


def _print(event: str, **keys: Any) -> None:  # noqa: ANN401 -- whatever JSON has
    print(json.dumps({"event": event, **keys}), flush=True)
