"""An export: a form that findings can have. Its file ends in one, named by an entry point.

EXPORT: Final = Export(summary="what it is for", text=my_text)

[project.entry-points."vblkfuzz.exports"]
mine = "my_package.my_module:EXPORT"
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from vblkfuzz.triage.case import Case

Text: TypeAlias = "Callable[[Sequence[Case]], str]"
"""From cases, at least one, to the file's text. The same cases give the same text.

Raises UsageError for cases that the form is not made for; HarnessError if one that it needs could
not be judged.
"""


@dataclass(frozen=True, slots=True)
class Export:
    """One form."""

    summary: str
    """One line for `vblkfuzz list exports`."""
    text: Text
    """Writes it."""
