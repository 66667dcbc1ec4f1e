"""The pace of a campaign: its speed now, and when it last found something new."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from vblkfuzz.store.summary import Summary

_NOW_S: Final = 5.0
"""Seconds over which the speed of now is measured."""


class Pace:
    """Fills in the figures of a summary that depend on its earlier states."""

    def __init__(self) -> None:
        self._marks: deque[tuple[float, int]] = deque()
        """Seconds and executions, of the last `_NOW_S` seconds."""
        self._features = 0
        self._findings = 0

    def note(self, summary: Summary) -> None:
        """Take over the state of now; call this whenever the summary has changed."""
        if summary.execs and summary.start_up_s is None:
            summary.start_up_s = summary.seconds
        if summary.features > self._features:
            self._features, summary.last_feature_s = summary.features, summary.seconds
        if len(summary.findings) > self._findings:
            self._findings, summary.last_finding_s = len(summary.findings), summary.seconds
        self._marks.append((summary.seconds, summary.execs))
        while summary.seconds - self._marks[0][0] > _NOW_S and len(self._marks) > 2:
            self._marks.popleft()
        seconds, execs = self._marks[0]
        passed = summary.seconds - seconds
        summary.execs_per_s_now = (summary.execs - execs) / passed if passed else 0.0
