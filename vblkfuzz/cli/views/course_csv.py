"""The figures of campaigns over time, as comma-separated values (RFC 4180, but for line ends)."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.store.course import Course

_FIGURES: Final = ("seconds", "execs", "features", "violations", "harness_errors", "findings")
HEAD: Final = ",".join(("campaign", "worker", *_FIGURES))
"""The first line."""


def csv_text(courses: Sequence[Course]) -> str:
    """Return a row for each entry; campaigns are numbered from 1.

    The column worker is empty for the figures of all workers together; those of one worker have no
    violations, harness errors or findings.
    """
    written = io.StringIO()
    written.write(f"{HEAD}\n")
    rows = csv.writer(written, lineterminator="\n")
    for number, course in enumerate(courses, start=1):
        rows.writerows((number, "", *point) for point in course.points)
        for index, points in course.workers.items():
            rows.writerows((number, index, *point, "", "", "") for point in points)
    return written.getvalue()
