"""Counting in a worker: how many executions had each feature, written every few seconds."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vblkfuzz.launch.plan import Message
from vblkfuzz.store.feature_counts import counts_file, read_counts, write_counts

if TYPE_CHECKING:
    from collections.abc import Callable

    from vblkfuzz.campaign.recorded_inputs import RecordedInputs
    from vblkfuzz.launch.plan import WorkerPlan

_EVERY_S: Final = 5.0
"""Seconds between two writes, so much a killed worker loses."""


class Counting:
    """Notes executions, and goes on with what the worker has noted before it was started again.

    Args:
        path: the worker's file (`store.feature_counts`).
        fingerprint: of what its numbers speak.
        say: called with a sentence, when the disk is full.
    """

    def __init__(self, path: Path, fingerprint: str, say: Callable[[str], None]) -> None:
        self._path = path
        self._fingerprint = fingerprint
        self._say = say
        self._noted = read_counts(path, fingerprint)
        self._next_s = time.monotonic() + _EVERY_S
        self._complained = False

    def note(self, features: int) -> None:
        """Note the features of one execution (`Region.features`)."""
        self._noted.note(features)
        if time.monotonic() >= self._next_s:
            self.write()

    def write(self) -> None:
        """Write what was noted; a problem is said once."""
        try:
            write_counts(self._path, self._fingerprint, self._noted)
        except OSError as error:
            if not self._complained:
                self._complained = True
                self._say(f"{self._path}: features are not counted: {error.strerror or error}")
        self._next_s = time.monotonic() + _EVERY_S


def counting_of(
    plan: WorkerPlan, recorded: RecordedInputs | None, send: Callable[[Message], None]
) -> Counting | None:
    """Return what counts for a worker; None if nobody reads it, or there are no features."""
    if not (plan.record and plan.feedback):
        return None
    # Without a record, numbers of features mean the same within a campaign only.
    fingerprint = recorded.fingerprint if recorded else plan.record
    path = counts_file(Path(plan.out), plan.record, plan.index)
    return Counting(path, fingerprint, lambda sentence: send(Message("warning", sentence)))
