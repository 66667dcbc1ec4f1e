"""What `bisect` found of a case: its JSON form, in the file `bisect.json` beside the input."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from vblkfuzz.errors import InputFileError
from vblkfuzz.limits import MAX_ARTIFACT_BYTES

if TYPE_CHECKING:
    from vblkfuzz.triage.case import Case

BISECT_FILE: Final = "bisect.json"
_EXPECTED: Final = "expected what bisect --json prints"


class Bisected(NamedTuple):
    """A place in the list of devices where the bug appears or disappears."""

    before: str
    """The device before it; empty: there is none."""
    after: str
    bad: bool
    """Whether the bug appears there."""


def bisected(case: Case) -> list[Bisected]:
    """Return the places, oldest first; none if the input was not bisected.

    Raises:
        InputFileError: the file is no output of `bisect --json`.
    """
    path = Path(case.outcome.input).with_name(BISECT_FILE)
    if not path.exists():
        return []
    try:
        with path.open("rb") as file:
            found = json.loads(file.read(MAX_ARTIFACT_BYTES))
        return [_place(one) for one in found["changes"]]
    except OSError as error:
        raise InputFileError(str(path), "", f"cannot be read: {error.strerror}") from None
    except (ValueError, LookupError, TypeError):
        raise InputFileError(str(path), "", _EXPECTED) from None


def _place(one: dict[str, object]) -> Bisected:
    return Bisected(str(one["before"]), str(one["after"]), one["standing"] == "bad")
