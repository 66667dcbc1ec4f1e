"""The violation that a case stands for, if it showed again."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vblkfuzz.oracle.violation import Violation
    from vblkfuzz.triage.case import Case


def reproduced(case: Case) -> Violation | None:
    """Return the violation to report; None: none, or not that of a campaign's finding.

    A finding stands for its own signature: another violation is a finding of its own. Any other
    input stands for whatever it shows.
    """
    if case.sightings and case.signature != case.outcome.run.signature:
        return None
    return case.violation
