"""An export: one form in which findings are written.

The file of a form ends in an `Export`, and an entry point names it:

    EXPORT: Final = Export(summary="what it is for", text=my_text)

    [project.entry-points."vblkfuzz.exports"]
    mine = "my_package.my_module:EXPORT"
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from vblkfuzz.errors import InputFileError
    from vblkfuzz.triage.case import Case
    from vblkfuzz.triage.recorded import Others

Text: TypeAlias = "Callable[[Sequence[Case]], str]"
"""Takes cases, at least one, and returns the file's text. The same cases give the same text.

Raises UsageError for cases that the form does not support, and HarnessError if a case that it needs
could not be judged.
"""

Whole: TypeAlias = "Callable[[Sequence[Case], Sequence[InputFileError]], str]"
"""Takes the same cases and the errors of inputs that could not be read; returns the text."""

Paged: TypeAlias = "Callable[[Sequence[Case], Sequence[InputFileError], Others], str]"
"""Takes the same, and the findings that are not among the cases; returns the text."""

LeftOut: TypeAlias = "Callable[[Sequence[Case]], list[str]]"
"""Takes the same cases; returns the names of the operations that the text leaves out."""


Program: TypeAlias = "Callable[[Sequence[Case]], str]"
"""Takes the same cases; returns the program that is in the text, and is to show the bug of the only
case on a QEMU; empty: there is none."""


def _no_program(cases: Sequence[Case]) -> str:
    return ""


def _nothing(cases: Sequence[Case]) -> list[str]:
    return []


@dataclass(frozen=True, slots=True)
class Export:
    """One form of an export."""

    summary: str
    """One line for `vblkfuzz list exports`."""
    text: Text
    """Returns the text of the file."""
    left_out: LeftOut = _nothing
    """What the user is told beside it."""
    program: Program = _no_program
    """What is run once, so that the user is told if it does not show the bug (`export.trial`)."""
    whole: Whole | None = None
    """As `text`, with the inputs that could not be read; None: the form has no place for them."""

    paged: Paged | None = None
    """As `whole`, with an index of the findings of other pages: a folder may have ten thousand.
    None: the form has all findings, however many."""

    def written(
        self,
        cases: Sequence[Case],
        unreadable: Sequence[InputFileError],
        others: Others | None = None,
    ) -> str:
        """Return the text of the file, with unreadable inputs where the form has a place.

        Args:
            cases: at least one.
            unreadable: errors of inputs that could not be read.
            others: of a form with pages, the findings that are not on this one.
        """
        if others and self.paged:
            return self.paged(cases, unreadable, others)
        return self.whole(cases, unreadable) if self.whole else self.text(cases)
